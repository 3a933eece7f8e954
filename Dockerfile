# syntax=docker/dockerfile:1
# The image of `doran`, every role of it. Dependencies are compiled once and kept in cache mounts.

FROM rust:1.95.0-bookworm AS build
WORKDIR /src
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY streams streams
COPY docs/api docs/api
COPY projections projections
COPY migrations migrations
COPY web web
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package doran \
    && cp target/release/doran /usr/local/bin/doran

FROM debian:12.12-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/bin/doran /usr/local/bin/
COPY --chmod=0755 deploy/entrypoint.sh /usr/local/bin/entrypoint
COPY --chmod=0755 deploy/healthy.sh /usr/local/bin/healthy
# Of nobody who exists on the host.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["entrypoint"]
CMD ["all"]
