"""The plate detector's network: plain 3×3 convolutions, three levels of output maps.

Every cell of a map answers for the plate whose middle it covers: score, rows and the four corners.
The shape is in the manner of FCOS (Tian et al. 2019) with corners instead of boxes; nothing in it needs
more than Conv, Relu, Add and a nearest-neighbour Resize, so every ONNX runtime takes it.
"""

import torch
from torch import Tensor, nn

from training.detector.targets import CHANNELS


class Unit(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1, dilation: int = 1) -> None:
        padding = dilation * (size // 2)
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Two convolutions beside a straight path."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = Unit(width, width, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


class Head(nn.Module):
    """One level's map from its features."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.mix = Unit(inputs, width)
        self.out = nn.Conv2d(width, CHANNELS, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        self.out.bias.data[0] = -5.0  # plates are rare: start by saying no

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out(self.mix(x))
        return out


class PlateNet(nn.Module):
    """N×3×H×W of 0..255 (BGR, H and W multiples of 32) to one N×10×h×w map a stride."""

    def __init__(self, w2: int = 16, w4: int = 32, w8: int = 48, w16: int = 64, w32: int = 80) -> None:
        super().__init__()
        self.to4 = nn.Sequential(Unit(3, w2, stride=2), Unit(w2, w4, stride=2))
        self.to8 = nn.Sequential(Unit(w4, w8, stride=2), Unit(w8, w8))
        self.to16 = nn.Sequential(Unit(w8, w16, stride=2), Residual(w16))
        self.to32 = nn.Sequential(Unit(w16, w32, stride=2), Residual(w32), Residual(w32, dilation=2))
        self.down16 = nn.Conv2d(w32, w16, 1)
        self.down8 = nn.Conv2d(w16, w8, 1)
        self.head8, self.head16, self.head32 = Head(w8, 32), Head(w16, 48), Head(w32, 64)
        self.larger = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f8 = self.to8(self.to4(pixels * (1 / 255)))
        f16 = self.to16(f8)
        f32 = self.to32(f16)
        f16 = torch.relu(f16 + self.larger(self.down16(f32)))
        f8 = torch.relu(f8 + self.larger(self.down8(f16)))
        return self.head8(f8), self.head16(f16), self.head32(f32)
