# The gateway's image. The base images are arguments, for a mirror or for a machine that cannot pull
# (compose/local-images). No BuildKit-only features, so that any Docker Engine builds it.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK_IMAGE} AS build
WORKDIR /source
# Projects and locks first: packages are restored again only when one of these changes.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Gateway.Core/Gateway.Core.csproj src/Gateway.Core/packages.lock.json src/Gateway.Core/
COPY src/Gateway.Foundation/Gateway.Foundation.csproj src/Gateway.Foundation/packages.lock.json src/Gateway.Foundation/
COPY src/Gateway.Server/Gateway.Server.csproj src/Gateway.Server/packages.lock.json src/Gateway.Server/
COPY src/Gateway.Client/Gateway.Client.csproj src/Gateway.Client/packages.lock.json src/Gateway.Client/
COPY src/Gateway/Gateway.csproj src/Gateway/packages.lock.json src/Gateway/
# With what compiles to machine code: the publish below restores nothing.
RUN dotnet restore src/Gateway/Gateway.csproj --locked-mode -p:PublishReadyToRun=true
COPY .editorconfig BannedSymbols.txt ./
COPY src/ src/
RUN dotnet publish src/Gateway/Gateway.csproj --configuration Release --no-restore --output /app

# The runtime image must hold libcrypt.so.1 (password hashes). Microsoft's Debian and Ubuntu images do; the chiselled,
# distroless and Alpine ones don't.
FROM ${RUNTIME_IMAGE}
# libldap, which those lack, from the distribution, which keeps it patched. An image that has it needs no network here.
RUN ls /usr/lib/*/libldap* >/dev/null 2>&1 || { \
        apt-get update && \
        apt-get install --yes --no-install-recommends \
            "$(apt-cache show libldap2 >/dev/null 2>&1 && echo libldap2 || echo libldap-2.5-0)" && \
        rm -rf /var/lib/apt/lists/*; }
COPY --from=build /app /app
# GATEWAY_CONFIG: for the service and for every command beside it: docker exec CONTAINER gateway doctor.
ENV PATH=/app:$PATH \
    GATEWAY_CONFIG=/etc/gateway/gateway.yaml \
    DOTNET_EnableDiagnostics=0
# Numeric, so that Kubernetes can verify runAsNonRoot. It is the "app" user of Microsoft's images.
USER 1654:1654
EXPOSE 8443 8081
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["gateway", "healthcheck"]
ENTRYPOINT ["gateway"]
CMD ["serve"]
