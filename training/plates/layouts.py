"""Where things stand on a plate, in millimetres, after GA 36-2018 (fields 5.2 to 5.10) and pictures of older kinds."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.plates.texts import PlateSpec


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one character stands, mm from the plate's top left; *family* of its glyph; *is_red* on white plates."""

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
        case "foreign":
            return _foreign(spec)
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
            after_dot, red = (4 if text[0] == "使" else 3), slice(0, 0)
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


def _foreign(spec: PlateSpec) -> Layout:
    """520 x 110 as in Europe (yellow or white ground with a band), 305 x 152 as in the Americas otherwise."""
    count = len(spec.text)
    is_long = spec.text[:1] in "ABCDEFGHIJKLMNR" and count >= 6
    width, height, left = (520.0, 110.0, 50.0) if is_long else (305.0, 152.0, 12.0)
    group = count // 2
    step = (width - left - 12) / (count + 0.45)
    wide, tall = step * 0.86, min(80.0, step * 2.1)
    xs = [left + step * place + (step * 0.45 if place >= group else 0) for place in range(count)]
    top = (height - tall) / 2 + (0 if is_long else 5)
    cells = tuple(Cell(x, top, wide, tall, "foreign") for x in xs)
    return Layout(width, height, cells, None, _holes(width, height, width * 0.22))


def _holes(width: float, height: float, from_left: float) -> tuple[tuple[float, float], ...]:
    """Four holes, 12.5 mm from the long edges."""
    return tuple((x, y) for x in (from_left, width - from_left) for y in (12.5, height - 12.5))
