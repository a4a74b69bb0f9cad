# The production image. `docker compose build` makes it, `make build` too; docs/production.md says how it is run.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.lock requirements-observability.lock .
RUN /venv/bin/pip install --no-deps --require-hashes -r requirements.lock
# For SENTRY_DSN and OTEL_EXPORTER_OTLP_ENDPOINT: OBSERVABILITY=on in .env, or `--build-arg OBSERVABILITY=on`.
ARG OBSERVABILITY
RUN if [ "$OBSERVABILITY" = on ]; then /venv/bin/pip install --no-deps --require-hashes -r requirements-observability.lock; fi

# Renders for test keys, where they are offered: the compose profile `test-keys`.
FROM python:3.11-slim AS sandbox
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
RUN useradd --system --uid 10001 --home-dir /app genvid && mkdir /data && chown genvid /data
COPY requirements-dev.lock .
RUN pip install --no-deps --require-hashes -r requirements-dev.lock
WORKDIR /app
COPY genvid genvid
USER genvid
VOLUME /data
CMD ["python", "-m", "genvid.sandbox", "--host", "0.0.0.0", "--var", "/data"]

# The sandbox is in the build's context for the stage above, and in no layer of the production image.
FROM python:3.11-slim AS source
WORKDIR /app
COPY manage.py ./
COPY scripts/healthcheck.py scripts/
COPY genvid genvid
COPY accounts accounts
COPY avatars avatars
COPY videos videos
COPY billing billing
COPY docs docs
RUN rm -rf genvid/sandbox

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app genvid && mkdir /data && chown genvid /data
COPY --from=build /venv /venv
COPY --from=source /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONPATH=/app \
    DJANGO_SETTINGS_MODULE=genvid.settings \
    GENVID_VAR=/data \
    WORKER_ALIVE_FILE=/tmp/genvid-worker \
    STATIC_ROOT=/app/static \
    GRANIAN_INTERFACE=wsgi \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000 \
    GRANIAN_WORKERS=2 \
    GRANIAN_BLOCKING_THREADS=2 \
    GRANIAN_RESPAWN_FAILED_WORKERS=true
# The keys only let the settings load; nothing of them stays in the image.
RUN SECRET_KEY=only-while-building SALT_KEY=only-while-building GENVID_VAR=/tmp/build \
    python manage.py collectstatic --noinput && rm -rf /tmp/build && python -m compileall -q .
USER genvid
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "scripts/healthcheck.py"]
CMD ["granian", "genvid.wsgi:application"]
