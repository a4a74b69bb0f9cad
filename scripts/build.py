"""`make build`: builds the production image or, without a container engine, its contents in build/.

The latter follows the Dockerfile step by step, so that its steps are tested on any machine. Then come `check --deploy`
and the image's own server, which must pass the image's own health check.
"""

import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from dockerfile import Context, parse_dockerfile
from engine import find_engine
from image import BuildFailed, Image, held_port

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build"
TAG = "genvid:latest"
SITE = "genvid.example.com"


def main() -> int:
    try:
        engine = find_engine()
        if engine:
            build_image(engine)
        else:
            build_folder()
    except (BuildFailed, OSError, ValueError) as error:
        print(f"build: failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def build_image(engine: str) -> None:
    say(f"{engine} answers: building the image {TAG}")
    code = subprocess.run([engine, "build", "--tag", TAG, str(ROOT)]).returncode
    if code:
        raise BuildFailed(f"{engine} build ended with code {code}; the lines above say why")
    say(f"done: the image {TAG} is built by {engine}")


def build_folder() -> None:
    say(f"no container engine answers: building what the image holds in {TARGET}")
    if TARGET.exists():
        shutil.rmtree(TARGET)
    image = Image(TARGET, Context(ROOT, (ROOT / ".dockerignore").read_text()))
    image.build(parse_dockerfile((ROOT / "Dockerfile").read_text()))
    settings = production_settings()
    say("python manage.py check --deploy")
    image.run(image.program(["python", "manage.py", "check", "--deploy"]), label="check --deploy", settings=settings)
    with held_port() as port:
        say(f"{' '.join(image.commands['CMD'])}, on 127.0.0.1:{port}")
        image.serve_and_ask(settings | {"GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": str(port)})
    say(f"done: no image, but what it holds is in {TARGET}; its server answered /healthz and was stopped")


def say(text: str) -> None:
    print(f"build: {text}", flush=True)


def production_settings() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SALT_KEY": secrets.token_urlsafe(32),
        "PUBLIC_URL": f"https://{SITE}",
        "ALLOWED_HOSTS": SITE,
        "CSRF_TRUSTED_ORIGINS": f"https://{SITE}",
        "SECURE_BEHIND_PROXY": "on",
        "HEYGEN_API_KEY": "only-for-this-build",
        "EMAIL_URL": "smtp+tls://nobody:nothing@mail.invalid:587",
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(12)}",
    }


if __name__ == "__main__":
    sys.exit(main())
