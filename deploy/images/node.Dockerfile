# The sandbox image for Node.js programs: Debian's Node.js, and the Python that the agent runs on. The agent comes with each pod.
# hadolint global ignore=DL3006,DL3008
ARG BASE=docker.io/library/debian:12-slim
FROM ${BASE}
RUN command -v node || { apt-get update && apt-get install --yes --no-install-recommends nodejs python3-minimal && rm -rf /var/lib/apt/lists/*; }
# Nothing in here makes anybody more than they are.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} +
USER 65532:65532
CMD ["node"]
