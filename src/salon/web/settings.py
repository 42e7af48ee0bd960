"""Django settings, all from the environment: SALON_HOME, DATABASE_URL, SALON_HOSTS, SALON_DEBUG, SALON_LOG."""

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from salon.core.home import home, private_folder

BASE = Path(__file__).resolve().parent
HOME = private_folder(home())


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
    lock fails at once, whatever the timeout."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=67108864;",
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
    "salon.web.gallery",
    "salon.web.refuses",
]
MIDDLEWARE = [
    "salon.web.middleware.security_headers",
    "servestatic.middleware.ServeStaticMiddleware",
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
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE / "static"] if (BASE / "static").is_dir() else []
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
# Names carry no hash: browsers ask each time and get 304, so pages and scripts of two versions never mix.
SERVESTATIC_MAX_AGE = 0
SERVESTATIC_ALLOW_ALL_ORIGINS = False

MEDIA_ROOT = HOME / "images"
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

# Only backstage has sessions (web/backstage/sessions.py); visitors have their ticket.
SESSION_COOKIE_NAME = "salon_backstage"
SESSION_COOKIE_PATH = "/backstage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 60 * 60 * 16
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("SALON_LOG", "WARNING")},
    "loggers": {
        "salon": {"level": os.environ.get("SALON_LOG", "INFO")},
        "django.server": {"level": "WARNING"},
    },
}

# House rules of the station
SALON_WAITING_PER_VISITOR = int(os.environ.get("SALON_WAITING_PER_VISITOR", "4"))
SALON_WAITING_PER_STATION = int(os.environ.get("SALON_WAITING_PER_STATION", "6"))
SALON_WAITING_TOTAL = int(os.environ.get("SALON_WAITING_TOTAL", "400"))
SALON_PROPOSALS_PER_VISITOR = int(os.environ.get("SALON_PROPOSALS_PER_VISITOR", "12"))
SALON_REPORTS_PER_HOUR = int(os.environ.get("SALON_REPORTS_PER_HOUR", "30"))
#: seconds without a touch after which a booth asks whether anybody is there
SALON_KIOSK_SECONDS = float(os.environ.get("SALON_KIOSK_SECONDS", "90"))
SALON_HEARTBEAT = float(os.environ.get("SALON_HEARTBEAT", "10"))

#: how others on the network reach this house; in QR codes and share cards ("": as whoever asks reached it)
PUBLIC_URL = os.environ.get("SALON_PUBLIC_URL", "").rstrip("/")

SESSION_COOKIE_SECURE = PUBLIC_URL.startswith("https://")

#: where this house's source code is to be had; shown at the foot of the home page
SOURCE_URL = os.environ.get("SALON_SOURCE_URL", "")
