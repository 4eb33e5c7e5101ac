"""Draw the lane's diagram and table into docs/lane.md by walking the code: ``python -m scripts.lane_diagram``."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import fields, is_dataclass
from pathlib import Path

from domain import lane
from domain.lane import Event, LaneTimer, Read, State, Verdict, step
from domain.lane.moves import plates_of

PAGE = Path(__file__).parent.parent / "docs" / "lane.md"
BEGIN, END = "<!-- drawn from the code: python -m scripts.lane_diagram -->\n", "<!-- end of what is drawn -->\n"
UNSHOWN = ("StartTimer", "StopTimer", "ReleaseOther")  # the same everywhere, said once in the page
ENDED = "PassageEnded "
PLATES = ("京A12345", "川Z99999")  # so unlike that no reader takes one for the other


def labelled_events(state: State, serial: int) -> list[tuple[str, Event]]:
    """Every kind of event, fitted to *state* where it must name something of it."""
    asked = getattr(state.phase, "decision_id", "")
    pulsed = state.pulsed[-1] if state.pulsed else ""
    return [
        ("VehicleArrived", lane.VehicleArrived()),
        *((whose(state, plate), lane.PlateSeen(Read(f"r{serial}", plate))) for plate in PLATES),
        *((f"TimerRang {timer}", lane.TimerRang(timer)) for timer in LaneTimer),
        *((f"Decided {word}", lane.Decided(state.turn, f"d{serial}", word, "京A12345")) for word in Verdict),
        ("DueChanged", lane.DueChanged()),
        ("AttendantChose", lane.AttendantChose("京A12345")),
        ("ManualOpen", lane.ManualOpen(f"m{serial}")),
        ("BarrierFailed", lane.BarrierFailed(pulsed)),
        ("FaultCleared", lane.FaultCleared()),
        ("PassageBegan", lane.PassageBegan()),
        *((f"{ENDED}{before}", lane.PassageEnded(before)) for before in lane.Approach),
        ("VehicleReversed", lane.VehicleReversed()),
        ("SecondVehicle", lane.SecondVehicle()),
        ("OtherHeld", lane.OtherHeld(asked)),
    ]


def whose(state: State, plate: str) -> str:
    """How a read of *plate* is called in *state*: another car's once the car here is known by a different one."""
    car = getattr(state.phase, "car", lane.Car())
    known = plates_of(car)
    return "PlateSeen of another car" if known and plate not in known else "PlateSeen"


def name(value: object) -> str:
    return type(value).__name__


def shape(value: object) -> object:
    """What of a state matters to the rules: plates and ids reduced to whether they are there."""
    if isinstance(value, State) or is_dataclass(value):
        names = value._fields if isinstance(value, State) else [field.name for field in fields(value)]
        kept = [key for key in names if key not in ("seen", "pulsed", "turn", "abandoned")]
        return (name(value), *(shape(getattr(value, key)) for key in kept))
    if isinstance(value, lane.Incident | Verdict | bool):
        return value
    return bool(value)


def walk() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(phase, event) -> every (next phase, commands) that can follow; what changes nothing is left out."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    todo, known, serial = deque([State(), State(two_way=True)]), set(), 0
    while todo:
        state = todo.popleft()
        if shape(state) in known:
            continue
        known.add(shape(state))
        for label, event in labelled_events(state, serial := serial + 1):
            after, commands = step(state, event)
            does = ", ".join(name(command) for command in commands if name(command) not in UNSHOWN)
            if does or name(after.phase) != name(state.phase):
                found[name(state.phase), label].add((name(after.phase), does))
            todo.append(after._replace(seen=()))
    return found


def grouped(found: dict[tuple[str, str], set[tuple[str, str]]]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """The same with every way a passage can end that comes to the same said once."""
    whole = {key: ends for key, ends in found.items() if not key[1].startswith(ENDED)}
    ways: dict[tuple[str, frozenset[tuple[str, str]]], list[str]] = defaultdict(list)
    for (phase, label), ends in found.items():
        if label.startswith(ENDED):
            ways[phase, frozenset(ends)].append(label.removeprefix(ENDED))
    for (phase, alike), words in ways.items():
        every = len(words) == len(lane.Approach)
        whole[phase, ENDED.strip() if every else ENDED + "/".join(sorted(words))] = set(alike)
    return whole


def drawn() -> str:
    """The diagram (who leads where) and the table (what is done on the way)."""
    found = grouped(walk())
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (phase, label), ends in sorted(found.items()):
        for after in sorted({after for after, _ in ends if after != phase}):
            arrows[phase, after].append(label)
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> Idle"]
    lines += [f"    {phase} --> {after} : {'<br/>'.join(labels)}" for (phase, after), labels in sorted(arrows.items())]
    lines += ["```", "", "| in | on | does | then |", "| --- | --- | --- | --- |"]
    for (phase, label), ends in sorted(found.items()):
        for after, does in sorted(ends):
            lines.append(f"| {phase} | {label} | {does or '–'} | {after if after != phase else 'stays'} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """*text* of docs/lane.md with its drawn part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{drawn()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
