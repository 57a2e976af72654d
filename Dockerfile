FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY kit/install.mjs kit/install.mjs
RUN node kit/install.mjs
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
USER node
# The role is the command: dist/broker/main.js (edge), dist/alerts/main.js, dist/dashboard/main.js.
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/main.js"]
