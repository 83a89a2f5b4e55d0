# Builds the server with its web pages and command line, and runs it as an ordinary user.
# The sandbox needs user namespaces, which Docker's defaults forbid: see docs/how-to/run-in-a-container.md.
ARG NODE_IMAGE=node:24-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY . .
RUN npm ci --no-audit --no-fund
RUN node node_modules/vite/bin/vite.js build apps/web \
  && node tools/build-cli.mjs \
  && npm ci --omit=dev --workspace=@syla/server --no-audit --no-fund

FROM ${NODE_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bubblewrap ca-certificates python3 tini \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --create-home syla \
  && install -d -o syla -g syla -m 0700 /var/lib/syla \
  && printf '#!/bin/sh\nexec node /app/.build/cli/syla.mjs "$@"\n' > /usr/local/bin/syla \
  && chmod 0755 /usr/local/bin/syla
COPY --from=build /app /app
USER 10001:10001
WORKDIR /app
# SYLA_INSECURE is left to the person who publishes the port: only behind a proxy with TLS, or on loopback.
ENV NODE_ENV=production SYLA_HOME=/var/lib/syla SYLA_HOST=0.0.0.0
VOLUME /var/lib/syla
EXPOSE 7878
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7878/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# tini reaps what the sandbox leaves behind and passes SIGTERM on; the server then drains.
ENTRYPOINT ["tini", "--"]
CMD ["node", "apps/server/src/main.ts"]
