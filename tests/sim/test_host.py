"""The Bumble hosts of the simulator."""

import asyncio
import logging

from bumble import hci
from bumble.controller import Controller

from firmware_sim.wearable.bumble_host import make_device
from firmware_sim.wearable.plug import ControllerTransport


def test_the_answer_to_a_command_whose_caller_was_cancelled_is_no_error():
    """A device that begins to advertise anew when the recording ends was cancelled so."""
    errors = []

    async def cancel():
        asyncio.get_running_loop().set_exception_handler(lambda _, found: errors.append(found))
        pipe = ControllerTransport(Controller("a"))
        host = make_device("a", "C4:C3:C2:C1:D0:00", pipe, pipe).host
        await host.reset()
        for n_steps in range(1, 5):  # one of them is just before the answer
            command = asyncio.ensure_future(host.send_command(hci.HCI_Read_BD_ADDR_Command()))
            for _ in range(n_steps):
                await asyncio.sleep(0)
            command.cancel()
            await asyncio.sleep(0.01)
        answer = await host.send_command(hci.HCI_Read_BD_ADDR_Command())
        return answer.return_parameters.status

    assert asyncio.run(cancel()) == hci.HCI_SUCCESS
    assert errors == []


def test_warnings_of_the_program_look_the_same_beside_a_simulated_device(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])

    async def make():
        pipe = ControllerTransport(Controller("a"))
        make_device("a", "C4:C3:C2:C1:D0:00", pipe, pipe)

    asyncio.run(make())
    logging.debug("as Bumble's GATT server does")
    assert root.handlers == [logging.lastResort]
