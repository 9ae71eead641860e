// Command chart-judge is `helm lint` and `helm template` by Helm's own packages, and nothing else of Helm, which takes
// minutes to compile:
//
//	chart-judge lint CHART [FLAGS]              ends with 1 at a warning, as with --strict
//	chart-judge template NAME CHART [FLAGS]
//
// Flags are those of helm: --namespace, --kube-version, --set, --set-string, --set-json.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/strvals"
)

type wanted struct {
	namespace   string
	kubeVersion *chartutil.KubeVersion
	values      map[string]any
}

func parse(arguments []string) (wanted, error) {
	given := wanted{kubeVersion: &chartutil.DefaultCapabilities.KubeVersion, values: map[string]any{}}
	flags := flag.NewFlagSet("chart-judge", flag.ContinueOnError)
	flags.StringVar(&given.namespace, "namespace", "default", "")
	flags.Func("kube-version", "", func(text string) (err error) {
		given.kubeVersion, err = chartutil.ParseKubeVersion(text)
		return err
	})
	flags.Func("set", "", func(text string) error { return strvals.ParseInto(text, given.values) })
	flags.Func("set-string", "", func(text string) error { return strvals.ParseIntoString(text, given.values) })
	flags.Func("set-json", "", func(text string) error { return strvals.ParseJSON(text, given.values) })
	return given, flags.Parse(arguments)
}

func template(name, folder string, given wanted) error {
	chart, err := loader.Load(folder)
	if err != nil {
		return err
	}
	if version := given.kubeVersion.String(); !chartutil.IsCompatibleRange(chart.Metadata.KubeVersion, version) {
		return fmt.Errorf("the chart is not for Kubernetes %s", version)
	}
	capabilities := *chartutil.DefaultCapabilities
	capabilities.KubeVersion = *given.kubeVersion
	release := chartutil.ReleaseOptions{Name: name, Namespace: given.namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, given.values, release, &capabilities)
	if err != nil {
		return err
	}
	files, err := engine.Render(chart, values)
	if err != nil {
		return err
	}
	printAll(files)
	return nil
}

func printAll(files map[string]string) {
	names := make([]string, 0, len(files))
	for name, text := range files {
		if path.Ext(name) == ".yaml" && strings.TrimSpace(text) != "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("---\n# Source: %s\n%s\n", name, files[name])
	}
}

func judge(folder string, given wanted) error {
	found := lint.AllWithKubeVersion(folder, given.values, given.namespace, given.kubeVersion)
	for _, message := range found.Messages {
		fmt.Println(message)
	}
	if found.HighestSeverity >= support.WarningSev {
		return errors.New("the chart has faults")
	}
	return nil
}

func run(arguments []string) error {
	verb, operands := "", 0
	if len(arguments) > 0 {
		verb = arguments[0]
		operands = map[string]int{"lint": 1, "template": 2}[verb]
	}
	if operands == 0 || len(arguments) <= operands {
		return errors.New("lint CHART or template NAME CHART, then flags")
	}
	given, err := parse(arguments[1+operands:])
	if err != nil {
		return err
	}
	if verb == "lint" {
		return judge(arguments[1], given)
	}
	return template(arguments[1], arguments[2], given)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
