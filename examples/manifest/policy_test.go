package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	admission "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"
)

// policy returns the policy of examples/deploy and its binding, decoded strictly.
func policy(t *testing.T) admission.ValidatingAdmissionPolicySpec {
	t.Helper()
	content, err := os.ReadFile("../deploy/kubernetes/admission.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first, second, _ := bytes.Cut(content, []byte("\n---\n"))
	var p admission.ValidatingAdmissionPolicy
	var b admission.ValidatingAdmissionPolicyBinding
	if err := yaml.UnmarshalStrict(first, &p); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(second, &b); err != nil {
		t.Fatal(err)
	}
	if b.Spec.PolicyName != p.Name || !slices.Equal(b.Spec.ValidationActions, []admission.ValidationAction{admission.Warn}) {
		t.Errorf("the binding is %+v", b.Spec)
	}
	return p.Spec
}

// evaluate evaluates an expression as the API server does, over an object and the variables.
func evaluate(t *testing.T, expression string, object, variables map[string]any) any {
	t.Helper()
	env, err := cel.NewEnv(cel.Variable("object", cel.DynType), cel.Variable("variables", cel.DynType), ext.Strings())
	if err != nil {
		t.Fatal(err)
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := program.Eval(map[string]any{"object": object, "variables": variables})
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return out.Value()
}

// warns returns what the policy warns of, "" for nothing.
func warns(t *testing.T, spec admission.ValidatingAdmissionPolicySpec, object map[string]any) string {
	t.Helper()
	variables := map[string]any{}
	for _, v := range spec.Variables {
		variables[v.Name] = evaluate(t, v.Expression, object, variables)
	}
	for _, v := range spec.Validations {
		if ok := evaluate(t, v.Expression, object, variables); ok != true {
			return evaluate(t, v.MessageExpression, object, variables).(string)
		}
	}
	return ""
}

// The policy warns of nothing that the rules allow by an engine that leaves the threshold, and of
// these shapes.
func TestPolicy(t *testing.T) {
	spec := policy(t)
	files, err := filepath.Glob("testdata/shapes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	var warned []string
	for _, file := range append(files, "../deploy/kubernetes/sysctl.yaml", "../deploy/kubernetes/hostnetwork.yaml") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(content, []byte("\n---\n")) {
			var object map[string]any
			if err := yaml.Unmarshal(document, &object); err != nil {
				t.Fatal(err)
			}
			if object["kind"] == "List" {
				object = object["items"].([]any)[1].(map[string]any)
			}
			if object["kind"] == "Namespace" {
				continue
			}
			message := warns(t, spec, object)
			if message == "" {
				continue
			}
			warned = append(warned, strings.TrimSuffix(filepath.Base(file), ".yaml"))
			for _, engine := range []string{"containerd@1.7", "cri-o@1.30"} {
				if status, causes, _, err := judged(t, file, string(content), engine); status != 77 || err != nil || causes[0] != "bounding-excludes" {
					t.Errorf("%s is warned of, and by %s: %d %q, %v", file, engine, status, causes, err)
				}
			}
			if !strings.Contains(message, "net.ipv4.ip_unprivileged_port_start") || !strings.HasPrefix(message, "container ") {
				t.Errorf("%s: %q", file, message)
			}
		}
	}
	if want := []string{"gateway-sidecar", "restricted-list", "syslog-job", "traefik-low", "unbound"}; !slices.Equal(warned, want) {
		t.Errorf("it warns of %q, and not of %q", warned, want)
	}
}

// Each change of a pod that is warned of, and whether it still is. Where it is, the rules refuse it by
// engines that leave the threshold; where it is not, some engine starts it so that it binds, or the
// manifest alone does not tell.
func TestPolicyChanges(t *testing.T) {
	spec := policy(t)
	const pod = `apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  hostNetwork: false
  securityContext: {runAsUser: 5}
  containers:
  - name: a
    image: a
    ports: [{containerPort: 80}]
    securityContext: {capabilities: {drop: [ALL], add: []}}
`
	const start = "net.ipv4.ip_unprivileged_port_start"
	for _, tt := range []struct {
		old, new string
		warns    bool
	}{
		{"", "", true},
		{"hostNetwork: false", "hostNetwork: true", false},
		{"runAsUser: 5", "runAsUser: 0", false},
		{"runAsUser: 5", "runAsNonRoot: true", true},
		{"runAsUser: 5", "fsGroup: 5", false},
		{"{capabilities", "{runAsUser: 0, capabilities", false},
		{"{capabilities", "{privileged: true, capabilities", false},
		{"containerPort: 80", "containerPort: 1024", false},
		{"containerPort: 80", "containerPort: 1023", true},
		{"drop: [ALL]", "drop: [all]", true},
		{"drop: [ALL]", "drop: [CHOWN]", false},
		{"drop: [ALL]", "drop: [NET_BIND_SERVICE]", true},
		{"drop: [ALL], add: []", "drop: [NET_BIND_SERVICE], add: [NET_BIND_SERVICE]", true},
		{"add: []", "add: [NET_BIND_SERVICE]", false},
		{"add: []", "add: [CHOWN]", true},
		{"runAsUser: 5", "runAsUser: 5, sysctls: [{name: " + start + ", value: \"80\"}]", false},
		{"runAsUser: 5", "runAsUser: 5, sysctls: [{name: " + start + ", value: \"81\"}]", true},
		{"runAsUser: 5", "runAsUser: 5, sysctls: [{name: net.core.somaxconn, value: \"80\"}]", true},
		{"hostNetwork: false", "os: {name: windows}", false},
		{"hostNetwork: false", "os: {name: linux}", true},
	} {
		text := strings.Replace(pod, tt.old, tt.new, 1)
		var object map[string]any
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		if got := warns(t, spec, object) != ""; got != tt.warns {
			t.Errorf("%s: warned of %v, want %v", tt.new, got, tt.warns)
		}
		if !tt.warns {
			continue
		}
		for _, engine := range []string{"containerd@1.7", "cri-o@1.30"} {
			if status, causes, _, err := judged(t, "a.yaml", text, engine); status != 77 || err != nil || causes[0] != "bounding-excludes" {
				t.Errorf("%s by %s: %d %q, %v", tt.new, engine, status, causes, err)
			}
		}
	}
}
