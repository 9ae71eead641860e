// A client of the ttRPC library that the Go runtime of Kata uses, for tests and measurements of our server.
//
//	ttrpc-client -address /run/agent.sock -mode interop
//	ttrpc-client -address /run/agent.sock -mode load -connections 1 -outstanding 64 -seconds 5
//	ttrpc-client -address /run/agent.sock -mode output -container c -exec e
//	ttrpc-client -address /run/agent.sock -mode input -container c -exec e -bytes 1048576
//
// Each mode prints one JSON object. The messages are well-known ones with the same fields on the wire as ours:
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
	container   string
	exec        string
	bytes       int
}

func main() {
	var o options
	mode := flag.String("mode", "load", "load, interop, output or input")
	flag.StringVar(&o.address, "address", "", "path of a unix socket, or host:port")
	flag.IntVar(&o.connections, "connections", 1, "connections at once")
	flag.IntVar(&o.outstanding, "outstanding", 1, "calls at once on each connection")
	flag.Float64Var(&o.seconds, "seconds", 5, "how long to measure, after a tenth of it as warm-up")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "deadline of each call, 0 for none")
	flag.BoolVar(&o.traced, "traced", false, "send a traceparent with each call")
	flag.StringVar(&o.container, "container", "", "container of the process to read from or write to")
	flag.StringVar(&o.exec, "exec", "", "that process")
	flag.IntVar(&o.bytes, "bytes", 1<<20, "how much to write")
	flag.Parse()

	modes := map[string]func(context.Context, options) (any, error){
		"load": load, "interop": interop, "output": output, "input": input,
	}
	run, known := modes[*mode]
	if !known {
		flag.Usage()
		os.Exit(2)
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
