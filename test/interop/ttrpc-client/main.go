// A client of the ttRPC library that the Go runtime of Kata uses, for tests and measurements of our server.
//
//	ttrpc-client -address /run/agent.sock -mode interop
//	ttrpc-client -address /run/agent.sock -mode load -connections 1 -outstanding 64 -seconds 5
//
// Either mode prints one JSON object. The messages are well-known ones with the same fields on the wire as ours:
// a string in field 1 (CheckRequest, WaitProcessRequest) and a number in field 1 (HealthCheckResponse).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/containerd/ttrpc"
)

type options struct {
	address     string
	connections int
	outstanding int
	seconds     float64
	timeout     time.Duration
	traced      bool
}

func main() {
	var o options
	mode := flag.String("mode", "load", "load or interop")
	flag.StringVar(&o.address, "address", "", "path of a unix socket, or host:port")
	flag.IntVar(&o.connections, "connections", 1, "connections at once")
	flag.IntVar(&o.outstanding, "outstanding", 1, "calls at once on each connection")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long to measure, after a tenth of it as warm-up")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "deadline of each call, 0 for none")
	flag.BoolVar(&o.traced, "traced", false, "send a traceparent with each call")
	flag.Parse()

	run := load
	if *mode == "interop" {
		run = interop
	}
	result, err := run(context.Background(), o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func dial(address string) (*ttrpc.Client, error) {
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return ttrpc.NewClient(conn), nil
}
