"""Where things stand on a plate, in millimetres, after GA 36-2018 (fields 5.2 to 5.10) and pictures of older kinds."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.plates.texts import PlateSpec


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one character stands, mm from the plate's top left; *family* of its glyph; *is_red* as 警 is."""

    x: float
    y: float
    width: float
    height: float
    family: str = "140"
    is_red: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A plate's size, its cells in reading order, its separating dot and mounting holes (centres), mm."""

    width: float
    height: float
    cells: tuple[Cell, ...]
    dot: tuple[float, float] | None = None
    holes: tuple[tuple[float, float], ...] = field(default=())


def layout_of(spec: PlateSpec) -> Layout:
    """The layout *spec* is made in."""
    match spec.form:
        case "nev_small" | "nev_large":
            return _nev(spec)
        case "agricultural":
            return _agricultural()
        case "eu":  # 520 x 110, a blue band at the left
            return _foreign(520, 110, 52, 17, (48, 76), spec.text)
        case "us":  # 305 x 152, words above and below
            return _foreign(305, 152, 10, 42, (35, 68), spec.text)
        case "brazil":  # 400 x 130, state and town above
            return _foreign(400, 130, 12, 40, (46, 72), spec.text)
        case "emergency":
            return _row(spec, after_dot=2, red=slice(6, 8), cell=43, gap=9)
        case "armed_police":
            return _armed_police(spec)
        case _ if spec.rows == 2:
            return _double(spec)
        case _:
            return _single(spec)


def _single(spec: PlateSpec) -> Layout:
    """440 x 140, seven characters of 45 x 90, the dot after the first, second, third or fourth."""
    text = spec.text
    red = slice(0, 0)
    after_dot = 2
    match spec.form:
        case "police":
            after_dot, red = 1, slice(6, 7)
        case "embassy":
            after_dot, red = (4, slice(0, 1)) if text[0] == "使" else (3, slice(6, 7))
        case "consulate":
            red = slice(6, 7)
        case "army":
            red = slice(0, 2)
        case "police_old":
            red = slice(1, 2)
    return _row(spec, after_dot=after_dot, red=red)


def _row(spec: PlateSpec, *, after_dot: int, red: slice, cell: float = 45, gap: float = 12) -> Layout:
    count = len(spec.text)
    used = count * cell + (count - 2) * gap + 34
    x = (440 - used) / 2
    reds = set(range(count)[red]) if spec.colour != "blue" else set()
    cells, dot = [], 0.0
    for index in range(count):
        cells.append(Cell(x, 25, cell, 90, is_red=index in reds))
        x += cell + gap
        if index + 1 == after_dot:
            dot, x = x - gap + 17, x - gap + 34
    return Layout(440, 140, tuple(cells), (dot, 70), _holes(440, 140, 110))


def _armed_police(spec: PlateSpec) -> Layout:
    """WJ in red, smaller; the province (red) or office number small beside it; then the dot and five places."""
    middle = spec.text[2:-5]
    cells = [Cell(15, 25, 42, 90, is_red=True), Cell(62, 25, 42, 90, is_red=True)]
    x = 110.0
    for _ in middle:
        cells.append(Cell(x, 45, 32, 66, is_red=len(middle) == 1))
        x += 35
    left = x + 22
    step = (440 - 12 - left) / 5
    cells.extend(Cell(left + step * place, 25, min(45, step - 8), 90) for place in range(5))
    return Layout(440, 140, tuple(cells), (x + 9, 70), _holes(440, 140, 110))


def _nev(spec: PlateSpec) -> Layout:
    """480 x 140, eight characters: 45 then 43 wide; 49 for the emblem after the second."""
    xs = [15.5, 69.5, *(161.5 + 52 * place for place in range(6))]
    cells = tuple(Cell(x, 25, 45 if place == 0 else 43, 90, "green") for place, x in enumerate(xs))
    return Layout(480, 140, cells, (137, 70), _holes(480, 140, 125))


def _double(spec: PlateSpec) -> Layout:
    """440 x 220: province and letter of 80 x 60 above, five of 65 x 110 below."""
    is_army = spec.form == "army_double"
    upper = (Cell(110, 15, 80, 60, "220_up", is_army), Cell(250, 15, 80, 60, "220_up", is_army))
    lower = tuple(Cell(27.5 + 80 * place, 90, 65, 110, "220_down") for place in range(5))
    return Layout(440, 220, upper + lower, (220, 45), _holes(440, 220, 95))


def _agricultural() -> Layout:
    """300 x 165: province and two digits above, five digits below."""
    upper = (Cell(62, 14, 50, 44, "220_up"), Cell(140, 14, 40, 44, "140"), Cell(190, 14, 40, 44, "140"))
    lower = tuple(Cell(19 + 54 * place, 70, 46, 80, "140") for place in range(5))
    return Layout(300, 165, upper + lower, None, _holes(300, 165, 60))


def _foreign(width: float, height: float, left: float, top: float, cell: tuple[float, float], text: str) -> Layout:
    """Two groups of characters with half a cell between, as large as the width allows."""
    group = 2 if text[:2].isalpha() and not text[2].isalpha() else (3 if len(text) > 5 else 2)
    step = min(cell[0] * 1.16, (width - left - 10) / (len(text) + 0.5))
    start = left + (width - left - 10 - step * (len(text) + 0.5)) / 2 + step * 0.07
    xs = [start + step * place + (step * 0.5 if place >= group else 0) for place in range(len(text))]
    cells = tuple(Cell(x, top, min(cell[0], step * 0.88), cell[1], "foreign") for x in xs)
    between = (xs[group - 1] + step * 1.2, top + cell[1] / 2)
    return Layout(width, height, cells, between, _holes(width, height, width * 0.2))


def _holes(width: float, height: float, from_left: float) -> tuple[tuple[float, float], ...]:
    """Four holes, 12.5 mm from the long edges."""
    return tuple((x, y) for x in (from_left, width - from_left) for y in (12.5, height - 12.5))
