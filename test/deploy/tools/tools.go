//go:build tools

// Package tools names the programs that judge what deploy/ holds, so that go.mod and go.sum pin them.
package tools

import (
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "sigs.k8s.io/kustomize/kustomize/v5"
)
