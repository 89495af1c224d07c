# The `relief` command in an image: python:slim, the hash-pinned requirements without the trial's
# servers, the rooms as they are in the repository. Which process it is, is the command.
FROM python:3.11.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/relief
COPY requirements.txt /tmp/requirements.txt
RUN /opt/relief/bin/python -m pip install --require-hashes --only-binary :all: \
      --no-binary lunar-python -r /tmp/requirements.txt \
 && /opt/relief/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin relief \
 && install --directory --owner relief --group relief --mode 0700 /var/lib/relief
COPY --from=build /opt/relief /opt/relief
WORKDIR /srv/relief
COPY LICENSE ./
COPY rules rules
COPY domain domain
COPY eventstore eventstore
COPY projections projections
COPY streams streams
COPY intake intake
COPY api api
COPY web web
COPY demo demo
COPY cli cli
COPY audit audit
RUN /opt/relief/bin/python -m compileall -q .
ENV PATH=/opt/relief/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RELIEF_DATA=/var/lib/relief RELIEF_HEALTH_PORT=9464
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-m", "cli.up.probe", "9464"]
ENTRYPOINT ["python", "-m", "cli.main"]
CMD ["serve"]
