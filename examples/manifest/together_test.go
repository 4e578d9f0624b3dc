package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/examples/manifest/declare"
)

// Files that are read together, in which a later one may be one that another names: the status, the
// first cause, the fixes of the first report, and how many containers are refused. The first is
// given, and of those whose names start with "+" each.
func TestTogether(t *testing.T) {
	const start = "net.ipv4.ip_unprivileged_port_start"
	deny := `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bind"],"action":"SCMP_ACT_ERRNO"}]}`
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    ports: [{containerPort: 80}]\n    securityContext: {runAsUser: 5, capabilities: {drop: [ALL]}}\n"
	for _, tt := range []struct {
		name, container string
		files           []string // name, content, name, content …
		want            string
	}{
		{"an override", "", []string{"compose.yaml", "services:\n  a: {image: a, ports: [\"80:80\"], sysctls: {" + start + ": 0}}\n",
			"+compose.override.yaml", "services:\n  a: {user: \"5\", cap_drop: [ALL], sysctls: {" + start + ": 1024}}\n"}, "77 bounding-excludes sysctl 1"},
		{"an override that helps", "", []string{"compose.yaml", "services:\n  a: {image: a, user: \"5\", ports: [\"80:80\"], sysctls: {" + start + ": 1024}, cap_drop: [ALL]}\n",
			"+b.yaml", "services:\n  a: {sysctls: {" + start + ": 80}}\n"}, "0"},
		{"an extended service", "", []string{"d/compose.yaml", "services:\n  a: {extends: {file: ../base.yaml, service: b}, ports: [\"80:80\"]}\n",
			"base.yaml", "services:\n  b: {image: a, user: \"5\", cap_drop: [ALL], sysctls: {" + start + ": 1024}}\n"}, "77 bounding-excludes sysctl 1"},
		{"a service of a profile", "", []string{"compose.yaml", "services:\n  a: {image: a, profiles: [debug], user: \"5\", cap_drop: [ALL], sysctls: {" + start + ": 1024}, ports: [\"80:80\"]}\n"},
			"77 bounding-excludes sysctl 1"},
		{"an extended service that is not there", "", []string{"compose.yaml", "services:\n  a: {extends: {file: none.yaml, service: b}}\n"}, "64 none.yaml"},
		{"variables of a file", "", []string{"compose.yaml", "services:\n  a: {image: \"a:${TAG}\", user: \"${WHO}\", cap_drop: [ALL], sysctls: {" + start + ": 1024}, ports: [\"80:80\"]}\n", ".env", "WHO=5\n"},
			"77 bounding-excludes sysctl 1"},
		{"a variable with a default", "", []string{"compose.yaml", "services:\n  a: {image: a, user: \"${WHO:-5}\", cap_drop: [ALL], sysctls: {" + start + ": 1024}, ports: [\"80:80\"]}\n"},
			"77 bounding-excludes sysctl 1"},
		{"a variable that nobody set", "", []string{"compose.yaml", "services:\n  a:\n    image: a\n    user: \"${WHO}\"\n"}, "64 compose.yaml: line 2: service a: what ${WHO} becomes"},
		{"a user of variables that nobody set", "", []string{"compose.yaml", "services:\n  a: {image: a, user: \"${WHO}:${GRP}\", ports: [\"443:443\"]}\n"}, "64 compose.yaml: line 2: service a: what ${"},
		{"a user of variables of a file", "", []string{"compose.yaml", "services:\n  a: {image: a, user: \"${WHO}:${GRP}\", cap_drop: [ALL], sysctls: {" + start + ": 1024}, ports: [\"80:80\"]}\n", ".env", "WHO=5\nGRP=5\n"},
			"77 bounding-excludes sysctl 1"},
		{"variables for a program, beside the file", "", []string{"d/compose.yaml", "services:\n  a: {image: a, env_file: .env, ports: [\"80:80\"]}\n", "d/.env", "A=5\n"}, "0"},
		{"an included file", "", []string{"d/compose.yaml", "include: [other.yaml]\n", "d/other.yaml", "services:\n  a: {image: a, user: \"5\", cap_drop: [ALL], sysctls: {" + start + ": 1024}, ports: [\"80:80\"]}\n"}, "77 bounding-excludes 1"},
		{"a profile of the container", "", []string{"compose.yaml", "services:\n  a: {image: a, ports: [\"80:80\"], security_opt: [\"seccomp:p.json\"]}\n", "p.json", deny}, "77 seccomp 1"},
		{"a profile of a unit", "", []string{"a.container", "[Container]\nImage=a\nUser=0\nPublishPort=80:80\nSeccompProfile=p.json\n", "p.json", deny}, "77 seccomp 1"},
		{"a profile of a command", "", []string{"run.sh", "podman run --user 0 -p 80:80 --security-opt seccomp=p.json a\n", "p.json", deny}, "77 seccomp 1"},
		{"a profile of the node", "", []string{"pod.yaml", pod + "  securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}}\n"}, "77 unknown 1"},
		{"a profile that is not there", "", []string{"run.sh", "podman run --security-opt seccomp=p.json a\n"}, "64 the seccomp profile"},
		{"a pod of units", "", []string{"a.container", "[Container]\nImage=a\nUser=5\nDropCapability=all\nPod=b.pod\n", "b.pod", "[Pod]\nPublishPort=80:80\n"}, "77 bounding-excludes sysctl cap-add 1"},
		{"a pod on the host's network", "", []string{"a.container", "[Container]\nImage=a\nUser=5\nDropCapability=all\nPod=b.pod\n", "+b.pod", "[Pod]\nPublishPort=80:80\nNetwork=host\n"}, "77 bounding-excludes cap-add 1"},
		{"a pod with a sysctl", "", []string{"a.container", "[Container]\nImage=a\nUser=5\nPod=b.pod\n", "b.pod", "[Pod]\nPublishPort=80:80\nPodmanArgs=--sysctl " + start + "=80\n"}, "0"},
		{"a pod that is not there", "", []string{"a.container", "[Container]\nImage=a\nPod=b.pod\n"}, "64 line 3: Pod=: "},
		{"a pod with a key that nobody knows", "", []string{"b.pod", "[Pod]\nPublishPrt=80\n"}, "64 line 2: podman knows no PublishPrt= in [Pod]"},
		{"a manifest that podman plays", "", []string{"a.kube", "[Kube]\nYaml=pod.yaml\n", "pod.yaml", pod}, "77 bounding-excludes sysctl cap-add 1"},
		{"on the host's network", "", []string{"a.kube", "[Kube]\nYaml=pod.yaml\nNetwork=host\n", "pod.yaml", pod}, "77 bounding-excludes cap-add 1"},
		{"a manifest that is refused", "", []string{"a.kube", "[Kube]\nYaml=pod.yaml\n", "pod.yaml", pod + "  x: 5\n"}, "64 line 2: Yaml=: pod.yaml: line 10"},
		{"no manifest", "", []string{"a.kube", "[Kube]\nNetwork=host\n"}, "64 line 1: its Yaml= declares no pods"},
		{"one of two", "b", []string{"compose.yaml", "services:\n  a: {image: a, user: \"5\", cap_drop: [ALL], expose: [\"80\"], network_mode: host}\n  b: {image: a}\n"}, "0"},
		{"the other", "a", []string{"compose.yaml", "services:\n  a: {image: a, user: \"5\", cap_drop: [ALL], expose: [\"80\"], network_mode: host}\n  b: {image: a}\n"}, "77 bounding-excludes 1"},
		{"none of two", "c", []string{"compose.yaml", "services:\n  a: {image: a}\n  b: {image: a}\n"}, "64 there are a, b"},
		{"one that a wrapper starts", "", []string{"run.sh", "podman run --user 0 -p 80:80 --cap-drop ALL --cap-add SETUID --cap-add SETGID a tini -- su-exec 5:5 /app\n"}, "77 bounding-excludes sysctl 1"},
	} {
		t.Chdir(t.TempDir())
		c := command{container: tt.container, options: declare.Options{ReadFile: read}}
		for i := 0; i < len(tt.files); i += 2 {
			name, isGiven := strings.CutPrefix(tt.files[i], "+")
			content := []byte(tt.files[i+1])
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if isGiven || i == 0 {
				c.files = append(c.files, declare.File{Name: name, Content: content})
			}
		}
		got := outcome(c)
		if status, text, _ := strings.Cut(tt.want, " "); status == "64" && strings.HasPrefix(got, "64 ") && strings.Contains(got, text) {
			continue
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// outcome is what a command says: the status, and the error, or the first cause, the fixes and the
// number of the containers that are refused.
func outcome(c command) string {
	subjects, err := c.subjects(c.files, c.options)
	if err != nil {
		return "64 " + err.Error()
	}
	status, refused, first := 0, 0, []string{}
	for _, s := range subjects {
		r, code, errJudge := c.judge(s, subjects)
		err = errors.Join(err, errJudge)
		if status = worst(status, code); code == 0 || errJudge != nil {
			continue
		}
		if refused++; refused == 1 {
			first = append(first, r.Causes[0].ID)
			for _, f := range r.Fixes {
				first = append(first, f.ID)
			}
		}
	}
	if err != nil {
		return "64 " + err.Error()
	}
	if refused > 0 {
		first = append(first, strconv.Itoa(refused))
	}
	return strings.Join(slices.Concat([]string{strconv.Itoa(status)}, first), " ")
}

// Braces are a template's where Kubernetes would read them, and a program's own where they are data.
func TestTemplates(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n"
	for _, tt := range []struct{ name, content, want string }{
		{"a.yaml", "{{- if .Values.x }}\n" + pod + "{{- end }}\n", "line 1: a template"},
		{"a.yaml", strings.Replace(pod, "name: a\n    image", "name: {{ .Chart.Name }}\n    image", 1), "line 6: a template"},
		{"a.yaml", strings.Replace(pod, "image: a", "image: \"{{ .Values.image }}\"", 1), "line 7: a template"},
		{"a.yaml", pod + "    {{- with .Values.x }}\n", "line 8: a template"},
		{"a.yaml", pod + "    args: [\"--format={{.ID}}\"]\n", ""},
		{"a.yaml", pod + "    # {{ a comment }}\n", ""},
		{"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: \"{{ .Labels }}\"\n---\n" + pod, ""},
		{"a.yaml", pod + "    $patch: replace\n", "line 8: a patch of a Pod"},
		{"kustomization.yaml", "resources: [a.yaml]\n", "line 1: a kustomization"},
		{"a.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "line 1: a kustomization"},
	} {
		_, _, _, err := judged(t, tt.name, tt.content, "")
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q, of\n%s", err, tt.want, tt.content)
		}
	}
}
