# The controller's image: `docker build --tag wf-controller .`
# `make image-tar` makes the same layers without Docker, from this machine's Python.

# The Python that the tests run with. A digest is the same for ever: take a newer one on purpose.
ARG PYTHON=docker.io/library/python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84

FROM ${PYTHON} AS build
# A step of the kind `command` would run beside the controller, with its rights and its token; traces
# are there by choice, since they bring an SDK along.
ARG LEFT_OUT="wf_command wf_otel"
WORKDIR /src
COPY image/ image/
COPY requirements-dev.txt ./
RUN python -m image.lock hatchling < requirements-dev.txt > build.txt \
 && python -m image.lock wf-core wf-k8s < requirements-dev.txt > run.txt
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes --requirement build.txt
RUN pip install --no-cache-dir --root-user-action=ignore --ignore-installed --no-deps \
    --require-hashes --prefix=/layers/dependencies --requirement run.txt
COPY wf_core/ wf_core/
COPY wf_k8s/ wf_k8s/
COPY plugins/ plugins/
RUN for each in ${LEFT_OUT}; do rm -r "plugins/${each}"; done \
 && /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir=wheels \
    ./wf_core ./wf_k8s ./plugins/* \
 && pip install --no-index --root-user-action=ignore --ignore-installed --no-deps \
    --prefix=/layers/wf wheels/*.whl
RUN python -m image.additions /layers/additions \
    /layers/dependencies/lib/python3.11/site-packages /layers/wf/lib/python3.11/site-packages

FROM ${PYTHON}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wf" \
      org.opencontainers.image.description="Runs sagas on Kubernetes, and undoes what a failed one did" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    PATH=/usr/local/bin:/usr/bin:/bin \
    PIP_CONSTRAINT=/usr/local/share/wf/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WF_PLUGINS=/opt/wf-plugins
COPY --from=build /layers/dependencies /usr/local
COPY --from=build /layers/wf /usr/local
COPY --from=build /layers/additions /
# A plugin that is broken is found here, not in the cluster.
RUN ["/usr/local/bin/wf", "plugins", "--check"]
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/wf"]
CMD ["controller"]
