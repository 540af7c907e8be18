# One image, several roles: the command says what runs (start api, start fanout-worker, start cdc-indexer, migrate; start
# alone runs all in one process). It holds one executable, with the page and the sample inside.
FROM oven/bun:1.4.5 AS build
WORKDIR /app
COPY package.json bun.lock bunfig.toml tsconfig.json ./
COPY client/package.json client/
COPY shared/package.json shared/
COPY services/api/package.json services/api/
COPY services/fanout-worker/package.json services/fanout-worker/
COPY services/cdc-indexer/package.json services/cdc-indexer/
RUN bun install --frozen-lockfile --production
COPY client client
COPY sample sample
COPY shared shared
COPY services services
COPY scripts scripts
RUN bun scripts/build.ts dist/sns

FROM debian:12-slim
RUN useradd --uid 1000 --no-create-home sns && install -d -m 700 -o sns -g sns /app/data \
  /credentials/migrate /credentials/api /credentials/fanout-worker /credentials/cdc-indexer
WORKDIR /app
COPY --from=build /app/dist/sns /usr/local/bin/sns
ENV NODE_ENV=production
USER sns
EXPOSE 8000 8001 8002 8003
ENTRYPOINT ["sns"]
CMD ["start"]
