# The sandbox image for Python programs: Debian's Python 3.11 and nothing of Syla. The agent comes with each pod.
# hadolint global ignore=DL3006,DL3008
ARG BASE=docker.io/library/debian:12-slim
FROM ${BASE}
RUN command -v python3 || { apt-get update && apt-get install --yes --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*; }
# Nothing in here makes anybody more than they are.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
USER 65532:65532
CMD ["python3"]
