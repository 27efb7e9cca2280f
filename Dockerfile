# One static binary in an empty image: no shell, no libraries, no root.
#   docker build --build-arg VERSION=$(git describe --tags --always) -t xronox-proxy .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" \
        -o /out/xronox-proxy ./cmd/xronox-proxy \
    && mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/xronox-proxy /xronox-proxy
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532

# A container's loopback is of no use to anyone; what is published is the
# business of whoever runs it. As environment, so that every command sees it.
ENV XRONOX_LISTEN=0.0.0.0:9000 \
    XRONOX_ADMIN=0.0.0.0:9001 \
    XRONOX_DATA_DIR=/data \
    XRONOX_LOG_FORMAT=json
EXPOSE 9000 9001
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/xronox-proxy", "healthcheck"]
ENTRYPOINT ["/xronox-proxy"]
CMD ["serve"]
