"""Formats of other programs that are known but not read, and how to get a capture from them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twitchsense.errors import InputError

_VIA_MNE: Final = "read it with --via mne, which needs the extra mne (docs/install.md)"
_TO_EDF: Final = "export it as EDF in its program"
_TO_CSV: Final = "export it as CSV in its program"
#: What to do with a file of sleep stages or events that is given as a recording.
TO_HYPNOGRAM: Final = "give it with --hypnogram (or --respiratory) beside the recording"

#: Ending of the file name: what it is, and the cure.
_BY_ENDING: Final = {
    ".slk": ("a Noraxon recording", _TO_CSV),
    ".c3d": ("a motion-capture recording (C3D)", "export its analog channels as CSV"),
    ".mat": ("a MATLAB file", "write its signals with a time column (writetable) as CSV"),
    ".acq": ("a BIOPAC AcqKnowledge recording", "save it as CSV or EDF in AcqKnowledge"),
    ".poly5": ("a TMSi recording (Poly5)", "export it as EDF in TMSi's software"),
    ".s00": ("a TMSi Portilab recording", _TO_EDF),
    ".hpf": ("a Delsys EMGworks recording", "export it as CSV with the Delsys file utility"),
    ".shpf": ("a Delsys Trigno Discover recording", "export it as CSV in Trigno Discover"),
    ".adicht": ("a LabChart recording", "export it as text or EDF in LabChart"),
    ".adidat": ("a LabChart recording", "export it as text or EDF in LabChart"),
    ".smr": ("a Spike2 recording", "export it as CSV or EDF in Spike2"),
    ".smrx": ("a Spike2 recording", "export it as CSV or EDF in Spike2"),
    ".abf": ("an Axon recording", "export it as CSV in Clampfit"),
    ".rhd": ("an Intan recording", "convert it to CSV or EDF"),
    ".rhs": ("an Intan recording", "convert it to CSV or EDF"),
    ".tdms": ("a LabVIEW recording (TDMS)", "export it as CSV"),
    ".otb": ("an OT Bioelettronica recording", "export it as CSV in OT BioLab"),
    ".otb+": ("an OT Bioelettronica recording", "export it as CSV in OT BioLab"),
    ".otb4": ("an OT Bioelettronica recording", "export it as CSV in OT BioLab"),
    ".agd": (
        "an ActiGraph file of counts, without raw acceleration",
        "give the .gt3x file of the same recording",
    ),
    ".awd": ("an Actiwatch file of counts, without raw acceleration", "it cannot be used"),
    ".mtn": ("an Actiwatch file of counts, without raw acceleration", "it cannot be used"),
    ".omx": ("an Axivity OMX recording", "convert it to CSV with the Open Movement tools"),
    ".wav": ("sound", "write its signals with a time column as CSV"),
    ".avro": ("an Empatica EmbracePlus recording", "convert it to CSV with Empatica's script"),
    ".smed": ("a SOMNOmedics recording", "export it as EDF in DOMINO"),
    ".dom": ("a SOMNOmedics recording", "export it as EDF in DOMINO"),
    ".sbs": ("a SOMNOmedics recording", "export it as EDF in DOMINO"),
    ".ndf": ("a Nox recording", "export it as EDF in Noxturnal"),
    ".nox": ("a Nox recording", "export it as EDF in Noxturnal"),
    ".sig": ("an Embla or Somnologica recording", "export it as EDF"),
    ".ebm": ("an Embla recording", "export it as EDF in RemLogic"),
    ".erd": ("a Natus recording", "export it as EDF in NeuroWorks or SleepWorks"),
    ".trc": ("a Micromed recording", "export it as EDF in SystemPLUS"),
    ".hea": ("a header of PhysioNet (WFDB)", "convert the record to EDF (wfdb: mit2edf) or CSV"),
    ".xlsx": ("an Excel workbook", "save the sheet as CSV"),
    ".xls": ("an Excel workbook", "save the sheet as CSV"),
    ".ods": ("a spreadsheet", "save the sheet as CSV"),
    **dict.fromkeys(
        (".xml", ".annot", ".eannot"), ("a file of sleep stages or events", TO_HYPNOGRAM)
    ),
    ".rml": ("a file of sleep stages of Philips", "export its stages as text or EDF+"),
    ".zip": ("an archive", "unpack it and give the captures in it"),
    ".rar": ("an archive", "unpack it and give the captures in it"),
    ".7z": ("an archive", "unpack it and give the captures in it"),
    ".cwa.gz": ("a compressed Axivity recording", "unpack it (gunzip)"),
    ".edf.gz": ("a compressed EDF file", "unpack it (gunzip)"),
    **dict.fromkeys(
        (".h5", ".hdf5"),
        ("an HDF5 file", "save it as text (OpenSignals writes a .txt beside it) or as CSV"),
    ),
    ".npz": ("a NumPy archive", "pass its arrays to twitchsense.Recording.from_arrays"),
    ".npy": ("a NumPy array", "pass it to twitchsense.Recording.from_arrays"),
    ".pkl": ("a Python pickle, which may run code", "write its signals as CSV"),
    **dict.fromkeys(
        (".fif", ".fif.gz", ".vhdr", ".ahdr", ".set", ".gdf", ".cnt", ".lay", ".mff", ".nedf",
         ".cdt", ".ns3", ".eeg"),
        ("a recording that MNE-Python reads", _VIA_MNE),
    ),
    ".vmrk": ("a marker file of BrainVision", "give the .vhdr file beside it, with --via mne"),
}  # fmt: skip


def refuse_known(path: Path, source: str) -> None:
    """Refuse a file of a known format that is not read, with what it is.

    Parameters
    ----------
    path : Path
    source : str
        Name of the file in messages.

    Raises
    ------
    InputError
        If the ending of the name is that of such a format.
    """
    name = path.name.casefold()
    for ending in sorted(_BY_ENDING, key=len, reverse=True):
        if name.endswith(ending):
            what, cure = _BY_ENDING[ending]
            raise InputError(source, f"this is {what}, which is not read", cure)
