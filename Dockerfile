# The job image: `docker run --log-driver none -i --rm --env UCP_PASSWORD=… dtr-backup backup … > file.tar`
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS deps
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-progress

FROM ${BASE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-progress
COPY tsconfig.base.json ./
COPY src ./src
RUN node_modules/.bin/tsc --build src && find dist -name '*.d.ts' -o -name '*.map' -o -name '*.tsbuildinfo' | xargs rm -f

FROM ${BASE_IMAGE} AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dtr-backup" \
      org.opencontainers.image.description="Backs up Docker Trusted Registry and its RethinkDB into one provable tar" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=deps /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Nothing is installed or built at run time. And a volume that is new takes the owner of the place it is mounted at:
# --output /backups/FILE works with any new volume.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /usr/local/bin/pnpm* \
 && install --directory --owner node --group node --mode 0700 /backups \
 && chmod 755 dist/main.js && ln -s /app/dist/main.js /usr/local/bin/dtr-backup
# The base image's unprivileged user (uid 1000). Nothing is written inside the container: --read-only works.
USER node
# Exec form: node is PID 1 and gets the signals of `docker stop` itself.
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["--help"]
