// Command runtime-default prints the seccomp profile that containerd gives a container whose pod asks for RuntimeDefault,
// as it stands in the container's config.json:
//
//	runtime-default [CAPABILITY…]     what the container has, such as CAP_CHOWN
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func main() {
	held := &specs.LinuxCapabilities{Bounding: os.Args[1:]}
	profile := seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: held}})
	if err := json.NewEncoder(os.Stdout).Encode(profile); err != nil {
		fmt.Fprintln(os.Stderr, "runtime-default:", err)
		os.Exit(1)
	}
}
