"""Django settings, all from the environment: SALON_HOME, DATABASE_URL, SALON_HOSTS, SALON_DEBUG, SALON_LOG."""

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from salon.core.home import close, home, keep_private
from salon.web import statics

BASE = Path(__file__).resolve().parent
# every process that serves or changes a house loads this: what it writes is for its owner only
HOME = keep_private(home())


def _secret_key() -> str:
    """The installation's key: made once, readable by its owner only. Two first starts agree on one key."""
    path = HOME / "secret.key"
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    key = path.read_text().strip()
    if len(key) < 32:
        raise SystemExit(f"The secret key in {path} is damaged. Delete that file; a new one is made at the next start.")
    return key


def _database(url: str) -> dict:
    if not url:
        return _sqlite(HOME / "salon.sqlite3")
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)))
    if parts.scheme not in ("postgres", "postgresql"):
        raise SystemExit("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": {key: unquote(value) for key, value in query.items() if key != "host"},
    }


def _sqlite(path: Path) -> dict:
    """WAL lets pages read while a row is written; IMMEDIATE because a deferred transaction that upgrades its
    lock fails at once, whatever the timeout. The files that SQLite lays beside it get the database's own mode."""
    for beside in ("", "-wal", "-shm"):
        close(path.with_name(path.name + beside))
    return {
        "ENGINE": "salon.web.sqlite",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=67108864; "
            # what is erased is overwritten, not only unlinked
            "PRAGMA secure_delete=ON;",
        },
        # a file, as in life: connections to a database in memory share one cache and lock each other's tables
        "TEST": {"NAME": str(HOME / f"test-{os.getpid()}.sqlite3")},
    }


SECRET_KEY = _secret_key()
DEBUG = os.environ.get("SALON_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *filter(None, os.environ.get("SALON_HOSTS", "").split(","))]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "servestatic",
    "django.contrib.staticfiles",
    "salon.web.people",
    "salon.web.events",
    "salon.web.station",
    "salon.web.arena",
    "salon.web.gallery",
    "salon.web.refuses",
    "salon.web.mail",
    "salon.web.seats",
    "salon.web.programme",
    "salon.web.call",
    "salon.web.jury",
    "salon.web.doors",
    "salon.web.exports",
    "salon.web.backstage",
]
MIDDLEWARE = [
    "salon.web.middleware.security_headers",
    "servestatic.middleware.ServeStaticMiddleware",
    "salon.web.middleware.speak",
    "salon.web.middleware.same_origin",
    "salon.web.middleware.friendly_errors",
]
ROOT_URLCONF = "salon.web.urls"
ASGI_APPLICATION = "salon.web.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "salon.web.context.house",
            ],
        },
    }
]
DATABASES = {"default": _database(os.environ.get("DATABASE_URL", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"

LANGUAGE_CODE = "en"
#: languages of the house, each named in itself; docs/translating.md says how to add one
LANGUAGES = [("en", "English"), ("es", "Español"), ("ja", "日本語")]
#: nobody's: a catalogue of made-up Arabic, with which layout from right to left is tried
PSEUDO_LANGUAGES = {"ar": "العربية"} if DEBUG and "SALON_PSEUDO_LOCALE" in os.environ else {}
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE / "locale", *([os.environ["SALON_PSEUDO_LOCALE"]] if PSEUDO_LANGUAGES else [])]
FORMAT_MODULE_PATH = ["salon.web.formats"]

# The version of all files together stands in every address: browsers keep what they have and ask for nothing twice, and
# pages and scripts of two versions never mix.
STATIC_URL = "/static/now/" if DEBUG else f"/static/{statics.version(BASE / 'static')}/"
STATICFILES_DIRS = [BASE / "static"] if (BASE / "static").is_dir() else []
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_MAX_AGE = 0 if DEBUG else 365 * 24 * 3600
SERVESTATIC_ALLOW_ALL_ORIGINS = False

MEDIA_ROOT = HOME / "images"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {
    "default": {
        "BACKEND": os.environ.get("SALON_STORAGE", "salon.web.storage.AtomicFileStorage"),
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Codes by e-mail: SALON_EMAIL=smtp://user:password@host:587 (smtps:// for TLS from the start), SALON_EMAIL_FROM
_mail = urlsplit(os.environ.get("SALON_EMAIL", ""))
EMAIL_CONFIGURED = _mail.scheme in ("smtp", "smtps")
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or (465 if _mail.scheme == "smtps" else 587)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp" and bool(_mail.username)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("SALON_EMAIL_FROM", "salon@localhost")

# Only backstage has sessions (web/people/sessions.py); visitors have their ticket.
SESSION_COOKIE_NAME = "salon_backstage"
SESSION_COOKIE_PATH = "/backstage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 60 * 60 * 16
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "salon.web.people.passwords.NotTheirName"}]  # fmt: skip

# bodies are capped earlier (asgi.py); what is typed into the call's long form must fit beside its files
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"class": "salon.web.logs.Discreet", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("SALON_LOG", "WARNING")},
    "loggers": {
        "salon": {"level": os.environ.get("SALON_LOG", "INFO")},
        # named, so that Django's own handlers, which know no discretion, are taken off it: all goes to the root's
        "django": {"level": "INFO"},
        "django.server": {"level": "WARNING"},
    },
}

# House rules of the station (docs/crowds.md). What waits is counted in ordinary requests: nine pictures with a model's
# own settings. One press at /station/machines makes four requests: it must fit.
SALON_WAITING_PER_VISITOR = int(os.environ.get("SALON_WAITING_PER_VISITOR", "6"))
SALON_WAITING_PER_STATION = int(os.environ.get("SALON_WAITING_PER_STATION", "8"))
SALON_WAITING_TOTAL = int(os.environ.get("SALON_WAITING_TOTAL", "400"))
#: of SALON_WAITING_TOTAL: what all who come without a ticket of their own share
SALON_WAITING_STRANGERS = int(os.environ.get("SALON_WAITING_STRANGERS", "40"))
SALON_PROPOSALS_PER_VISITOR = int(os.environ.get("SALON_PROPOSALS_PER_VISITOR", "12"))
SALON_REPORTS_PER_HOUR = int(os.environ.get("SALON_REPORTS_PER_HOUR", "30"))
SALON_REPORTS_PER_STATION = int(os.environ.get("SALON_REPORTS_PER_STATION", "60"))
#: bytes of all files of all applications
SALON_CALL_MOST_BYTES = int(os.environ.get("SALON_CALL_MOST_BYTES", str(20 * 10**9)))
#: of them, those of all applications that are not sent, and those from one network that nothing is decided of
SALON_CALL_DRAFT_BYTES = int(os.environ.get("SALON_CALL_DRAFT_BYTES", str(5 * 10**9)))
SALON_CALL_SOURCE_BYTES = int(os.environ.get("SALON_CALL_SOURCE_BYTES", str(2 * 10**9)))
#: days that a draft is kept after the last touch
SALON_CALL_DRAFT_DAYS = int(os.environ.get("SALON_CALL_DRAFT_DAYS", "60"))
#: letters to addresses of which nobody knows whether their owner wants them: how fast they leave, and how many in a
#: day before more of them wait for a person
SALON_LETTERS_PER_MINUTE = int(os.environ.get("SALON_LETTERS_PER_MINUTE", "60"))
SALON_LETTERS_PER_DAY = int(os.environ.get("SALON_LETTERS_PER_DAY", "1000"))
SALON_ARENA_PER_HOUR = int(os.environ.get("SALON_ARENA_PER_HOUR", "60"))
#: what one visitor's votes on one pair of models weigh together, at most
SALON_ARENA_CAP = float(os.environ.get("SALON_ARENA_CAP", "5"))
#: seconds without a touch after which a booth asks whether anybody is there
SALON_KIOSK_SECONDS = float(os.environ.get("SALON_KIOSK_SECONDS", "90"))
#: how often a token of the event's API may be used within a minute
SALON_API_PER_MINUTE = int(os.environ.get("SALON_API_PER_MINUTE", "120"))
#: streams of updates that may be open at once: of one client (ticket or device), of those without a ticket at one
#: address (network, see sources.py), of all; whoever is at one address never has more than half of all
SALON_STREAMS_PER_CLIENT = int(os.environ.get("SALON_STREAMS_PER_CLIENT", "24"))
SALON_STREAMS_PER_ADDRESS = int(os.environ.get("SALON_STREAMS_PER_ADDRESS", "500"))
SALON_STREAMS = int(os.environ.get("SALON_STREAMS", "4000"))
SALON_HEARTBEAT = float(os.environ.get("SALON_HEARTBEAT", "10"))

#: how others on the network reach this house; in QR codes and share cards ("": as whoever asks reached it)
PUBLIC_URL = os.environ.get("SALON_PUBLIC_URL", "").rstrip("/")

#: its address on this machine, told by the desk: in letters, where it has no other
OWN_URL = os.environ.get("SALON_OWN_URL", "").rstrip("/")

#: where this house's source code is to be had; shown at the foot of the home page
SOURCE_URL = os.environ.get("SALON_SOURCE_URL", "")
