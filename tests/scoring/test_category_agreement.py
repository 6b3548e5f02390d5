"""Agreement on kinds and labels of matched pairs: share and Cohen's kappa."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from twitchsense.cli.app import main
from twitchsense.errors import InputError
from twitchsense.scoring.agreement.category_agreement import compare_categories
from twitchsense.scoring.event_lists.mark_files import read_events


def test_kappa_is_that_of_the_textbook():
    # Cohen's example as tabulated in textbooks: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no
    truth = pd.Series(["y"] * 25 + ["n"] * 25)
    found = pd.Series(["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15)
    got = compare_categories(truth, found)
    assert (got.n_pairs, got.n_equal) == (50, 35)
    assert got.kappa == pytest.approx(0.4)
    assert got.kappa_low < 0.4 < got.kappa_high
    assert 0.55 < got.share_low < 0.7 < got.share_high < 0.83
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    a, b = (pd.Series(rng.choice(list("wxyz"), 60)) for _ in range(2))
    assert compare_categories(a, b).kappa == pytest.approx(sklearn.cohen_kappa_score(a, b))


def test_the_interval_of_kappa_is_wide_for_few_pairs():
    words = pd.Series(["a"] * 8 + ["b"] * 7)
    got = compare_categories(words, words)
    assert (got.kappa, got.kappa_high) == (1.0, 1.0)
    chance = (64 + 49) / 225
    assert got.kappa_low == pytest.approx((got.share_low - chance) / (1 - chance))
    assert 0.5 < got.kappa_low < 0.6
    rare = compare_categories(pd.Series(["a"] * 14 + ["b"]), pd.Series(["a"] * 14 + ["b"]))
    assert -1 <= rare.kappa_low < got.kappa_low


def test_what_is_undefined_is_none():
    nothing = compare_categories(pd.Series([], dtype=object), pd.Series([], dtype=object))
    assert nothing.to_dict()["kappa"] is None
    one = compare_categories(pd.Series(["a", "a", ""]), pd.Series(["a", "a", "b"]))
    assert (one.n_pairs, one.share) == (2, 1.0)
    assert one.to_dict()["kappa"] is None


def test_agree_compares_kinds_and_labels(tmp_path):
    head = "onset,duration,trial_type,label\n"
    (tmp_path / "a.csv").write_text(f"{head}1,0.1,twitch,x\n2,0.1,twitch,y\n3,0.1,jerk,z\n")
    (tmp_path / "b.csv").write_text(f"{head}1,0.1,twitch,x\n2,0.1,twitch,x\n3,0.1,twitch,z\n")
    paths = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    found = json.loads(CliRunner().invoke(main, ["agree", *paths, "--json"]).stdout)["categories"]
    assert (found["trial_type"]["n_pairs"], found["trial_type"]["n_equal"]) == (3, 2)
    assert (found["label"]["n_pairs"], found["label"]["n_equal"]) == (3, 2)
    assert "Cohen's kappa" in CliRunner().invoke(main, ["agree", *paths]).stdout


@pytest.mark.parametrize(
    "text",
    [
        "onset,duration,stage\n0,30,W\n30,30,N2\n",
        "onset,duration,trial_type\n0,30,Sleep stage W\n30,30,Sleep stage 2\n",
        "onset,duration,trial_type\n0,30,W\n30,30,REM\n",
    ],
)
def test_a_hypnogram_is_not_taken_for_events(tmp_path, text):
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(InputError, match="is a hypnogram, not a list of events"):
        read_events(tmp_path / "h.csv")


def test_events_with_stages_are_events(tmp_path):
    (tmp_path / "e.csv").write_text("onset,duration,trial_type,stage\n1,0.1,twitch,N2\n")
    assert len(read_events(tmp_path / "e.csv")) == 1
