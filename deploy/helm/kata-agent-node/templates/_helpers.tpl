{{- define "kata.name" -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "kata.selector" -}}
app.kubernetes.io/name: kata-trace-forwarder
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kata.labels" -}}
{{ include "kata.selector" . }}
app.kubernetes.io/part-of: kata-agent-node
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The forwarder's file. In the node's network the port for the runtime is on loopback by itself. */}}
{{- define "kata.toml" -}}
{{- $port := int .Values.runtime.hostPort -}}
{{- $listen := list -}}
{{- if $port -}}
{{- $listen = append $listen (printf "tcp://%s:%d" (ternary "127.0.0.1" "0.0.0.0" .Values.runtime.hostNetwork) (ternary $port 4318 .Values.runtime.hostNetwork)) -}}
{{- end -}}
{{- if .Values.vsock.enabled -}}
{{- $listen = append $listen "vsock://-1:10240" -}}
{{- end -}}
listen = [{{ range $i, $each := $listen }}{{ if $i }}, {{ end }}{{ $each | quote }}{{ end }}]
watch = {{ not (empty .Values.sandboxFolders) }}
admin = "tcp://0.0.0.0:10241"
log_level = {{ .Values.config.logLevel | quote }}

[limits]
max_held_bytes = {{ mul (int .Values.config.maxHeldMiB) 1048576 }}
{{- with .Values.backend }}
{{- if .url }}

[[backend]]
name = "backend"
type = {{ .type | quote }}
url = {{ .url | quote }}
{{- if .spool }}
queue_bytes = {{ mul (int .spoolMiB) 1048576 }}
spool = "/var/spool/kata-trace"
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.config.tables }}

{{ . | trim }}
{{- end }}
{{- end -}}
