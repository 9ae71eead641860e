// Command otel-cli is the sender of that name: spans by somebody else's exporter, over OTLP/gRPC and OTLP/HTTP.
package main

import (
	"os"

	"github.com/equinix-labs/otel-cli/otelcli"
)

func main() {
	otelcli.Execute("test")
	os.Exit(otelcli.GetExitCode())
}
