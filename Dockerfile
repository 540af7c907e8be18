# One image, several roles: the command names the service (api, fanout-worker, cdc-indexer; none runs all).
FROM oven/bun:1.4.5 AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
COPY client/package.json client/
COPY shared/package.json shared/
COPY services/api/package.json services/api/
COPY services/fanout-worker/package.json services/fanout-worker/
COPY services/cdc-indexer/package.json services/cdc-indexer/
RUN bun install --frozen-lockfile --production

FROM oven/bun:1.4.5-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app ./
COPY tsconfig.json ./
COPY client client
COPY sample sample
COPY shared shared
COPY services services
COPY scripts scripts
RUN install -d -m 700 -o bun -g bun data
USER bun
EXPOSE 8000 8001 8002 8003
ENTRYPOINT ["bun", "scripts/start.ts"]
