"""The cloud's settings file (TOML): every key with its default; unknown keys are refused by name and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cloud.access.wechat import WechatLogin
from cloud.payments.settings import PaymentSettings
from plumbing.demo_clock import refuse_outside_demo
from plumbing.settings import load
from plumbing.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where the pages are served: loopback unless told otherwise; put a TLS proxy in front for the world."""

    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed; tries are counted by caller


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The MQTT 5 broker all edges meet."""

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "lotgate-cloud"
    username: str | None = None
    password_file: Path | None = None
    tls: TlsFiles | None = None
    authority: Path | None = None  # folder of lotgate broker-ca, where this cloud may renew lots' certificates
    events_per_second: int = 10_000  # one worker asks of all lots together; shared by those that send. 0: no limit
    workers: int = 1  # cloud processes on one database; above 1 they share the lots' messages among them
    longest_wait_s: int = 300  # between two tries to connect, after a long silence

    def __post_init__(self) -> None:
        if self.longest_wait_s < 1:
            raise ValueError("longest_wait_s is 1 or more")


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """How much of merchants' balances lots may hold for spending without the cloud."""

    cap: int = 50_000  # fen or minutes, one lease
    spend_until_h: int = 72


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How fast one key or token may call ``/api/v1``, in each cloud process."""

    per_second: int = 50
    burst: int = 500

    def __post_init__(self) -> None:
        if self.per_second < 1 or self.burst < 1:
            raise ValueError("api.per_second and api.burst must be at least 1")


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Where web hooks may lead: to public https addresses; for demos and tests to this machine as well."""

    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Everything ``lotgate cloud --config F`` needs to know."""

    data: Path = Path("cloud-data")  # SQLite file and config key live here
    database_url: str = ""  # empty: SQLite in *data*; else postgresql+psycopg://…
    public_url: str = ""  # what edges and phones are told; empty: the listen address
    operator: str = "lotgate"
    time_zone: str = "Asia/Shanghai"
    log_json: bool = False
    log_level: str = "INFO"
    first_password_file: Path | None = None  # where the first admin's password goes; else it is printed, once
    listen: ListenSettings = ListenSettings()
    broker: BrokerSettings | None = None  # without one the cloud serves its pages and waits
    leases: LeaseSettings = LeaseSettings()
    payments: PaymentSettings = field(default_factory=PaymentSettings)
    api: ApiSettings = ApiSettings()
    hooks: HookSettings = HookSettings()
    wechat_login: WechatLogin | None = None  # where merchants may come in by WeChat
    demo_clock: Path | None = None  # a file that puts the clock forward: demos and tests on one machine only

    def __post_init__(self) -> None:
        if self.broker is not None and self.broker.workers > 1 and not self.database_url.startswith("postgresql"):
            raise ValueError("several workers need PostgreSQL: set database_url, or broker.workers = 1")
        if self.demo_clock is not None:
            refuse_outside_demo([self.listen.host, *([self.broker.host] if self.broker else [])])

    @property
    def database(self) -> str:
        """The database address in SQLAlchemy's form."""
        return self.database_url or f"sqlite:///{self.data.resolve() / 'cloud.sqlite'}"

    @property
    def config_key(self) -> Path:
        """File of the Ed25519 key every message to an edge is signed with."""
        return self.data / "config.key"


def load_settings(path: Path) -> CloudSettings:
    """Read the settings file. Raises plumbing.settings.SettingsError with every problem at once."""
    return load(path, CloudSettings)
