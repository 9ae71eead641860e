// Command datadog-judge reads a v0.4 traces payload from stdin with the decoder of the Datadog Agent and prints what it
// understood as JSON. It ends with 1 when the agent would refuse the payload.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	pb "github.com/DataDog/datadog-agent/pkg/proto/pbgo/trace"
)

func main() {
	payload, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	var traces pb.Traces
	rest, err := traces.UnmarshalMsg(payload)
	if err != nil {
		fail(err)
	}
	if len(rest) > 0 {
		fail(fmt.Errorf("%d bytes after the traces", len(rest)))
	}
	if err := json.NewEncoder(os.Stdout).Encode(traces); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
