package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/pod-security-admission/api"
)

// The namespace of a manifest enforces what its pods keep to, and what the restricted standard
// has against the others is what their comments own to, and no more.
func TestPodSecurity(t *testing.T) {
	for file, want := range map[string]struct{ enforce, against string }{
		"sysctl.yaml":      {"restricted", ""},
		"hostnetwork.yaml": {"privileged", "host namespaces, hostPort"},
		"audit.yaml":       {"privileged", "host namespaces, unrestricted capabilities, runAsNonRoot != true, runAsUser=0"},
	} {
		content, err := os.ReadFile("../kubernetes/" + file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := manifest(content)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got := p.namespace.Labels[api.EnforceLevelLabel]; got != want.enforce {
			t.Errorf("%s: its namespace enforces %q", file, got)
		}
		against, err := p.forbidden(api.LevelRestricted)
		if got := strings.Join(against, ", "); err != nil || got != want.against {
			t.Errorf("%s: against it: %s, %v", file, got, err)
		}
		enforced, err := p.forbidden(api.Level(want.enforce))
		if err != nil || len(enforced) > 0 {
			t.Errorf("%s would not be admitted: %v, %v", file, enforced, err)
		}
	}
}

// Every file of the folder that this program reads is read without complaint.
func TestFiles(t *testing.T) {
	manifests, err := filepath.Glob("../kubernetes/*.yaml")
	if err != nil || len(manifests) != 3 {
		t.Errorf("manifests: %q, %v", manifests, err)
	}
	for _, args := range [][]string{
		{"podman", "../compose.yaml", "server", "image"},
		{"podman", "../kubernetes/sysctl.yaml", "server", "image"},
		{"podman", "../kubernetes/audit.yaml", "pause", "image"},
		{"runc", "../compose.yaml", "host", "rootfs", "/server"},
		{"runc", "../kubernetes/hostnetwork.yaml", "server", "rootfs", "/server"},
		{"runc", "../kubernetes/audit.yaml", "audit", "rootfs", "/doctor"},
		{"steps", "../release.yml", "build"},
		{"steps", "../predict.yml", "predict"},
		{"steps", "../../../.github/workflows/ci.yml", "gate"}, // our own
	} {
		if err := run(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// Each change to a file makes it one that is refused.
func TestRefuses(t *testing.T) {
	for _, c := range []struct{ file, name, old, new, want string }{
		{"kubernetes/sysctl.yaml", "server", "runAsNonRoot:", "runAsNonRot:", "unknown field"},
		{"kubernetes/sysctl.yaml", "server", "readOnlyRootFilesystem: true", "privileged: true\n            privileged: false", "already set"},
		{"kubernetes/sysctl.yaml", "server", "runAsUser: 65532", "runAsUser: 0", "the kubelet would not start it"},
		{"kubernetes/sysctl.yaml", "server", "  namespace: web", "  namespace: other", "and in it"},
		{"kubernetes/sysctl.yaml", "server", "matchLabels: {app: server}", "matchLabels: {app: sever}", "does not select"},
		{"kubernetes/sysctl.yaml", "server", `args: ["-addr", ":443"]`, `workingDir: /tmp`, "not translated"},
		{"kubernetes/sysctl.yaml", "server", "automountServiceAccountToken: false", "shareProcessNamespace: true", "not translated"},
		{"kubernetes/sysctl.yaml", "server", "readOnlyRootFilesystem: true", "privileged: true", "not translated"},
		{"kubernetes/sysctl.yaml", "server", "readOnlyRootFilesystem: true", "seccompProfile: {type: Unconfined}", "not translated"},
		{"kubernetes/sysctl.yaml", "server", "runAsNonRoot: true", "supplementalGroups: [0]", "not translated"},
		{"kubernetes/sysctl.yaml", "server", "{type: RuntimeDefault}", "{type: Localhost, localhostProfile: own.json}", "not translated"},
		{"kubernetes/hostnetwork.yaml", "server", "kind: Deployment", "kind: Deplyoment", "no test knows"},
		{"kubernetes/hostnetwork.yaml", "none", "", "", "no container"},
		{"compose.yaml", "server", "read_only", "readonly", "Additional property"},
		{"compose.yaml", "server", "read_only: true", "privileged: true", "not translated"},
		{"compose.yaml", "server", "no-new-privileges:true", "seccomp:unconfined", "not translated"},
		{"compose.yaml", "server", `user: "65532:65532"`, "user: www", "not UID:GID"},
		{"compose.yaml", "host", "network_mode: host", "network_mode: host\n    ports: [\"443:443\"]", "neither sysctls nor ports"},
		{"compose.yaml", "none", "", "", "no such service"},
		{"release.yml", "build", "@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", "not pinned"},
		{"release.yml", "build", "contents: read", "contents: write", "not to read the contents alone"},
		{"release.yml", "build", "runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    permissions: write-all", "permissions of its own"},
		{"release.yml", "build", "- name: verify\n", "- name: verify\n        continue-on-error: true\n", "not translated"},
		{"release.yml", "build", "- name: build", "- nam: build", "problems"},
		{"release.yml", "build", `"$CAPS" server`, `"${{ env.CAPS }}" server`, "not translated"},
		{"release.yml", "none", "", "", "no job"},
	} {
		content, err := os.ReadFile("../" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), c.old) {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		file := filepath.Join(t.TempDir(), filepath.Base(c.file))
		if err := os.WriteFile(file, []byte(strings.Replace(string(content), c.old, c.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(c.file, ".yml") {
			_, err = workflow(file, c.name)
		} else {
			_, err = read(file, c.name)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v", c.file, c.new, err)
		}
	}
}

// What an engine gives a user who is not root: Docker what the bounding set alone has, the
// engines of Kubernetes also the permitted one, and podman so much that it is left out.
func TestCapabilities(t *testing.T) {
	host, err := read("../compose.yaml", "host")
	if err != nil {
		t.Fatal(err)
	}
	pod, err := read("../kubernetes/hostnetwork.yaml", "server")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"CAP_NET_BIND_SERVICE"}
	for _, c := range []container{host, pod} {
		have := c.bundle("/", "/server").Process.Capabilities
		if !slices.Equal(have["bounding"], want) || slices.Equal(have["permitted"], want) != c.permits || len(have["ambient"])+len(have["inheritable"]) > 0 {
			t.Errorf("%+v: %v", c, have)
		}
		if flags, err := c.podman("image"); err == nil {
			t.Errorf("podman: %q", flags)
		}
	}
	var all container
	if have := all.bundle("/", "/server").Process.Capabilities; len(have["bounding"]) != len(capabilities) {
		t.Errorf("%v", have)
	}
	some := container{drop: []string{"NET_RAW"}, add: []string{"SYS_TIME"}}
	have := some.bundle("/", "/server").Process.Capabilities["effective"]
	if slices.Contains(have, "CAP_NET_RAW") || !slices.Contains(have, "CAP_SYS_TIME") || !slices.Contains(have, "CAP_KILL") {
		t.Errorf("%v", have)
	}
}
