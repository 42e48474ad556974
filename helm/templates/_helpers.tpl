{{- define "wf.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Short enough for what is put behind it. */ -}}
{{- define "wf.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" }}
{{- else if contains (include "wf.name" .) .Release.Name }}
{{- .Release.Name | trunc 46 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "wf.name" .) | trunc 46 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* What is the cluster's must not meet that of the same release in another namespace. */ -}}
{{- define "wf.clusterName" -}}
{{- printf "%s.%s" .Release.Namespace (include "wf.fullname" .) }}
{{- end }}

{{- define "wf.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wf.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "wf.labels" -}}
{{ include "wf.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "wf.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "wf.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "wf.priorityClassName" -}}
{{- .Values.priorityClass.name | default (ternary (include "wf.clusterName" .) "" .Values.priorityClass.create) }}
{{- end }}

{{- define "wf.image" -}}
{{- $image := printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- if .Values.image.digest }}{{ printf "%s@%s" $image .Values.image.digest }}{{ else }}{{ $image }}{{ end }}
{{- end }}

{{- define "wf.leaseNamespace" -}}
{{- .Values.config.namespace | default .Release.Namespace }}
{{- end }}

{{- /* The engine's configuration, with what the chart itself knows. */ -}}
{{- define "wf.config" -}}
{{- $config := mergeOverwrite (deepCopy .Values.config) (dict "namespace" (include "wf.leaseNamespace" .)) }}
{{- if .Values.callbackSecret.name }}
{{- $callbacks := dict "secretFile" (printf "/etc/wf/callbacks/%s" .Values.callbackSecret.key) }}
{{- with .Values.callbackSecret.oldKey }}
{{- $callbacks = set $callbacks "oldSecretFile" (printf "/etc/wf/callbacks/%s" .) }}
{{- end }}
{{- $config = mergeOverwrite $config (dict "callbacks" $callbacks) }}
{{- end }}
{{- $queue := (($config.controllerConfig | default dict).queue) | default dict }}
{{- if and (hasKey $queue "maxRunningCount") (kindIs "invalid" $queue.maxRunningCountPerNamespace) }}
{{- $most := div (add (mul 3 (int64 $queue.maxRunningCount)) 4) 5 }}
{{- $_ := set $queue "maxRunningCountPerNamespace" $most }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- /* In each namespace whose workflows are run: what the code says that it needs. */ -}}
{{- define "wf.rules" -}}
{{- $rules := .Files.Get "files/rules.yaml" | fromYaml }}
{{- toYaml $rules.workflows }}
{{ toYaml $rules.cleanUp }}
{{- if .Values.schedules.enabled }}
{{ toYaml $rules.schedules }}
{{- end }}
{{- if .Values.tasks.enabled }}
{{ toYaml $rules.tasks }}
{{- end }}
{{- if .Values.podSteps.enabled }}
{{ toYaml $rules.pods }}
{{- end }}
{{- with .Values.rbac.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Of an admission policy's binding: where this controller runs workflows. */ -}}
{{- define "wf.namespaceSelector" -}}
{{- if .Values.namespaces }}
matchResources:
  namespaceSelector:
    matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: In
      values: {{ toJson .Values.namespaces }}
{{- end }}
{{- end }}

{{- /* Whether an admission policy writes who makes a request; empty for no. */ -}}
{{- define "wf.requestersVerified" -}}
{{- $known := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" }}
{{- if and .Values.admission.requesters.enabled $known }}true{{- end }}
{{- end }}

{{- define "wf.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.podSecurity.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurity.fsGroup }}
fsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "wf.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* The service account's token, for a container that speaks to the API server: the others have none. */ -}}
{{- define "wf.tokenVolume" -}}
- name: token
  projected:
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3600
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
    - downwardAPI:
        items:
        - path: namespace
          fieldRef:
            fieldPath: metadata.namespace
{{- end }}

{{- define "wf.tokenMount" -}}
- name: token
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{- /* What the controller and the check of its plugins see alike. */ -}}
{{- define "wf.pluginMounts" -}}
{{- if .Values.plugins.pip.packages }}
- name: pip
  mountPath: /opt/wf-plugins/pip
  readOnly: true
{{- end }}
{{- range .Values.plugins.images }}
- name: plugin-{{ .name }}
  mountPath: /opt/wf-plugins/{{ .name }}
  readOnly: true
{{- end }}
{{- with .Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wf.testContainer" -}}
image: {{ include "wf.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "wf.securityContext" . | nindent 2 }}
resources: {{- toYaml .Values.initResources | nindent 2 }}
volumeMounts:
{{ include "wf.tokenMount" . }}
- name: scratch
  mountPath: /tmp
- name: workflow
  mountPath: /etc/wf/workflow.yaml
  subPath: workflow.yaml
  readOnly: true
{{- end }}
