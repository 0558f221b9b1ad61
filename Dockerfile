# The server in a small image: docker build -t roomcast .
#
# Rust builds it, and Node (20.19 or newer, as this Debian has) what it serves to browsers; neither is in
# the image.
FROM rust:1-trixie AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends nodejs npm \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin roomcast \
    && install -D --strip target/release/roomcast /out/roomcast

FROM debian:trixie-slim
# The authorities that sign the certificates of databases, webhooks and push services.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /data --create-home --uid 10001 roomcast
COPY --from=build /out/roomcast /usr/local/bin/roomcast
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/roomcast/
USER roomcast
WORKDIR /data
# The embedded database lies in /data where DATABASE_URL names no other.
VOLUME /data
ENV ROOMCAST_SERVER__HOST=0.0.0.0 \
    DATABASE_URL=/data/roomcast.db
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=4s --start-period=10s CMD ["roomcast", "health"]
# SIGTERM drains: clients are closed at a pace, and accepted work is finished.
STOPSIGNAL SIGTERM
ENTRYPOINT ["roomcast"]
CMD ["serve"]
