from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plate import PlateColour
from drivers.base import BadFrameError, Box
from drivers.camera.vzenith_codec import (
    MAX_BODY,
    MAX_IMAGE,
    GioIn,
    Heartbeat,
    PlateResult,
    SerialData,
    parse_push,
)
from drivers.camera.vzenith_reply import IoControl, Reply, answer, parse_answer

JSON = "application/json"
JPEG = b"\xff\xd8\xff\xe0picture"


def push_of(**changes: Any) -> bytes:
    result: dict[str, Any] = {
        "license": "粤Z9065澳",
        "colorType": 4,
        "type": 14,
        "confidence": 96,
        "direction": 0,
        "plateid": 21085,
        "isoffline": 0,
        "is_fake_plate": 0,
        "triggerType": 4,
        "location": {"RECT": {"left": 1002, "top": 565, "right": 1263, "bottom": 674}},
        "imageFile": base64.b64encode(JPEG).decode(),
        "imageFragmentFile": "",
        "gioouts": [{"ionum": 0, "ctrltype": 0}],
        "timeStamp": {"Timeval": {"sec": 1686299994, "usec": 687772, "decyear": 2023}},
    }
    alarm = {"channel": 0, "serialno": "fe71e106-57263272", "result": {"PlateResult": result | changes}}
    return json.dumps({"AlarmInfoPlate": alarm}, ensure_ascii=False).encode()


def plate_of(**changes: Any) -> PlateResult:
    parsed = parse_push(push_of(**changes), JSON)
    assert isinstance(parsed, PlateResult)
    return parsed


def test_the_manuals_push_is_read_whole() -> None:
    parsed = plate_of()

    assert parsed.plate == "粤Z9065澳"
    assert parsed.colour is PlateColour.BLACK
    assert parsed.kind == "macao"
    assert parsed.confidence == 96
    assert parsed.record == "fe71e106-57263272:21085:1686299994"
    assert parsed.box == Box(1002, 565, 1263, 674)
    assert parsed.image == JPEG
    assert parsed.taken_wall_ms == 1686299994687
    assert not parsed.offline
    assert not parsed.fake


@pytest.mark.parametrize(
    ("licence", "plate", "others"),
    [
        ("京A12345", "京A12345", ()),
        ("_无_", "", ()),
        ("", "", ()),
        (base64.b64encode("京A12345".encode()).decode(), "京A12345", ()),
        (base64.b64encode("_无_".encode()).decode(), "", ()),
        ("粤ZJ068澳|MX7742|ZM127", "粤ZJ068澳", ("MX7742", "ZM127")),
        ("WJ12345A", "WJ12345A", ()),  # eight letters of the base64 alphabet, and a plate all the same
        ("VA12345", "VA12345", ()),
    ],
)
def test_every_way_a_licence_is_written_gives_its_plate(licence: str, plate: str, others: tuple[str, ...]) -> None:
    parsed = plate_of(license=licence)

    assert (parsed.plate, parsed.other_places) == (plate, others)


@pytest.mark.parametrize(
    ("changes", "colour", "kind"),
    [
        ({"colorType": 1, "type": 1}, PlateColour.BLUE, "blue"),
        ({"colorType": 0, "type": 19}, PlateColour.GREEN, "new_energy_small"),
        ({"colorType": 6, "type": 20}, PlateColour.YELLOW_GREEN, "new_energy_large"),
        ({"colorType": 99, "type": 99}, PlateColour.UNKNOWN, "unknown"),
        ({"colorType": "2", "type": "4"}, PlateColour.YELLOW, "yellow_two_lines"),
    ],
)
def test_plate_types_are_looked_up_and_unknown_ones_do_no_harm(
    changes: dict[str, Any], colour: PlateColour, kind: str
) -> None:
    parsed = plate_of(**changes)

    assert (parsed.colour, parsed.kind) == (colour, kind)


def test_a_resend_and_an_offline_replay_are_the_same_record() -> None:
    assert plate_of(isoffline=1).record == plate_of().record
    assert plate_of(plateid=None, isoffline=1).record == plate_of(plateid=None).record
    assert plate_of(plateid=None, license="京A12345").record != plate_of(plateid=None).record


def test_a_fake_plate_is_marked_either_way_the_camera_says_it() -> None:
    assert plate_of(type=29).fake
    assert plate_of(is_fake_plate=1).fake


def test_inputs_and_serial_data_are_read() -> None:
    gio = {"AlarmGioIn": {"serialno": "S", "result": {"TriggerResult": {"source": 1, "value": 1}}}}
    data = base64.b64encode(b"\xa5\x01").decode()

    assert parse_push(json.dumps(gio).encode(), JSON) == GioIn("S", 1, 1)
    for length in (2, len(data)):  # the manual counts the bytes, the field counts the base64
        serial = {"SerialData": {"serialno": "S", "serialChannel": 1, "data": data, "dataLen": length}}
        assert parse_push(json.dumps(serial).encode(), JSON) == SerialData(1, b"\xa5\x01", "S")


def test_a_heartbeat_loses_its_password_while_parsing() -> None:
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
        for pair in [(b"device_name", b"R5"), (b"serialno", b"S1"), (b"user_name", b"admin"), (b"pass_wd", b"s3cret")]
    )

    parsed = parse_push(body + b"--b--\r\n", "multipart/form-data; boundary=b")

    assert parsed == Heartbeat("S1", "R5")
    assert "s3cret" not in repr(parsed)
    assert parse_push(b"serialno=S1&pass_wd=s3cret", "application/x-www-form-urlencoded") == Heartbeat("S1")


NESTED = b"".join(
    b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (depth, depth + 1) for depth in range(1100)
)


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (b"", JSON, "not JSON"),
        (b"\xff\xfe", JSON, "not UTF-8"),
        (b"[]", JSON, "not a JSON object"),
        (b"[" * 100_000, JSON, "not JSON"),
        (b"{}", JSON, "has none of"),
        (b'{"AlarmInfoPlate": 1}', JSON, "AlarmInfoPlate is missing"),
        (b'{"AlarmInfoPlate": {"result": {}}}', JSON, "PlateResult is missing"),
        (push_of(license=5), JSON, "license is not text"),
        (push_of(license="京" * 200), JSON, "license is not text of at most"),
        (push_of(confidence="high"), JSON, "confidence is not a whole number"),
        (push_of(confidence=1.5), JSON, "confidence is not a whole number"),
        (push_of(imageFile="%%%"), JSON, "imageFile is not base64"),
        (push_of(imageFile=base64.b64encode(b"GIF89a").decode()), JSON, "not a JPEG"),
        (push_of(imageFile="A" * (MAX_IMAGE * 4 // 3 + 64)), JSON, "imageFile is larger"),
        (b" " * (MAX_BODY + 1), JSON, "at most"),
        (b"x", "multipart/form-data; boundary=b", "not multipart"),
        (b"--b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b", "without serialno"),
        (b"x", "multipart/form-data", "not multipart"),
        (NESTED, "multipart/form-data; boundary=b0", "parts within parts"),
        (b'{"SerialData": {"data": "pQE=", "dataLen": 3}}', JSON, "says 3 bytes"),
    ],
)
def test_bad_pushes_are_refused_in_a_sentence(body: bytes, content_type: str, says: str) -> None:
    with pytest.raises(BadFrameError, match=says):
        parse_push(body, content_type)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=300), st.sampled_from([JSON, "multipart/form-data; boundary=b", "", "x\r\n"]))
def test_no_bytes_raise_anything_but_bad_frame(body: bytes, content_type: str) -> None:
    with contextlib.suppress(BadFrameError):
        parse_push(body, content_type)


@settings(deadline=None)  # a busy machine is no failure
@given(st.sampled_from(["license", "type", "plateid", "timeStamp", "location", "imageFile", "isoffline"]), json_values)
def test_no_value_in_a_field_raises_anything_but_bad_frame(key: str, value: object) -> None:
    with contextlib.suppress(BadFrameError):
        parse_push(push_of(**{key: value}), JSON)


def test_the_default_answer_acknowledges_and_moves_nothing() -> None:
    inner = json.loads(answer(plate_of()))["Response_AlarmInfoPlate"]

    assert inner["info"] == "no"
    assert inner["content"] == "retransfer_stop"
    assert not parse_answer(answer(plate_of())).moves_a_relay


def test_an_answer_survives_the_way_to_the_camera_and_back() -> None:
    reply = Reply(
        open_relay=True,
        continue_offline=123,
        serial=(SerialData(0, "一路顺风".encode("gb18030")),),
        io=(IoControl(0, 2, 500),),
    )

    assert parse_answer(answer(plate_of(), reply)) == reply
    assert reply.moves_a_relay


def test_each_push_is_answered_under_its_own_name() -> None:
    assert b"Response_Heartbeat" in answer(Heartbeat("S"))
    assert b"Response_AlarmGioIn" in answer(GioIn("S", 0, 1))
    assert b"Response_SerialData" in answer(SerialData(0, b""))


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_no_answer_bytes_raise_anything_but_bad_frame(body: bytes) -> None:
    with contextlib.suppress(BadFrameError):
        parse_answer(body)
