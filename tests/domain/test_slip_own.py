from __future__ import annotations

from datetime import datetime

import pytest

from domain.slip import Cut, Feed, Paper, Qr, Text
from domain.slip_layouts import Language
from domain.slip_own import OwnLines, dressed
from domain.slip_samples import LAYOUTS, SAMPLES

AT = datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 - slips carry the lot's own time
OWN = (OwnLines("voucher", ("欢迎光临", "客服 0571-1234"), ("如有疑问请拨打客服电话，谢谢您的光临与配合",)),)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("paper", list(Paper))
@pytest.mark.parametrize("language", list(Language))
def test_every_layout_has_a_sample_that_fits_its_paper(layout: str, paper: Paper, language: Language) -> None:
    slip = SAMPLES[layout]("西湖文化广场地下停车场", AT, paper, language)

    assert isinstance(slip.lines[-1], Cut)
    assert slip.columns == paper


def test_own_lines_stand_above_and_below_and_the_qr_stays_last() -> None:
    plain = SAMPLES["voucher"]("Lot", AT, Paper.MM58, Language.ZH)

    slip = dressed(plain, "voucher", OWN)

    texts = [line.text for line in slip.lines if isinstance(line, Text)]
    assert texts[:2] == ["欢迎光临", "客服 0571-1234"]
    assert texts[-2:] == ["如有疑问请拨打客服电话，谢谢您的", "光临与配合"]
    assert [type(line) for line in slip.lines[-3:]] == [Feed, Qr, Cut]
    assert dressed(plain, "receipt", OWN) == plain


def test_a_layout_that_is_none_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no slip 'menu'; there are voucher, receipt"):
        OwnLines("menu")
