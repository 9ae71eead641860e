// Command kubelet-doors is what the API server asks of a kubelet when somebody wants to see into a pod: the log of a
// container, and connections to its ports. Pods that it knows are files in a folder:
//
//	NAMESPACE_POD.log    what its container has printed
//	NAMESPACE_POD.pid    a process in its network
//
//	kubelet-doors PORT FOLDER CERTIFICATE KEY
//
// Connections go by `nsenter` and busybox's `nc`. It asks nobody who they are: it is for the loopback.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const patience = 10 * time.Minute

// pods are those of a folder, each by the place of its files without their endings.
type pods struct{ folder string }

func (p pods) place(request *http.Request) string {
	return filepath.Join(p.folder, request.PathValue("namespace")+"_"+request.PathValue("pod"))
}

func (p pods) log(response http.ResponseWriter, request *http.Request) {
	http.ServeFile(response, request, p.place(request)+".log")
}

func (p pods) ports(response http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	protocols := []string{portforward.ProtocolV1Name}
	portforward.ServePortForward(response, request, p, p.place(request), "", options, patience, patience, protocols)
}

// PortForward connects a stream with a port of the pod whose files are at place.
func (p pods) PortForward(ctx context.Context, place, _ string, port int32, stream io.ReadWriteCloser) error {
	pid, err := os.ReadFile(place + ".pid")
	if err != nil {
		return err
	}
	network := "--net=/proc/" + strings.TrimSpace(string(pid)) + "/ns/net"
	connection := exec.CommandContext(ctx, "nsenter", network, "busybox", "nc", "127.0.0.1", fmt.Sprint(port))
	connection.Stdout = stream
	stdin, err := connection.StdinPipe()
	if err != nil {
		return err
	}
	go func() {
		defer stdin.Close()
		_, _ = io.Copy(stdin, stream)
	}()
	return connection.Run()
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("PORT FOLDER CERTIFICATE KEY")
	}
	known := pods{folder: arguments[1]}
	http.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", known.log)
	http.HandleFunc("/portForward/{namespace}/{pod}", known.ports)
	return http.ListenAndServeTLS("127.0.0.1:"+arguments[0], arguments[2], arguments[3], nil)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubelet-doors:", err)
		os.Exit(1)
	}
}
