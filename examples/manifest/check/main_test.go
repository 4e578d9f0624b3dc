package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/examples/manifest/oci"
	"github.com/lowport/lowport/guard/preflight"
)

// A namespace admits the pods that its file has for it, and what the restricted standard has
// against them is what their comments own to, and no more.
func TestPodSecurity(t *testing.T) {
	for file, want := range map[string]struct {
		standard int
		against  string
	}{
		"sysctl.yaml":      {2, ""},
		"hostnetwork.yaml": {0, "host namespaces, hostPort"},
		"audit.yaml":       {0, "host namespaces, unrestricted capabilities, runAsNonRoot != true, runAsUser=0"},
	} {
		name := "../../deploy/kubernetes/" + file
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := declare.Read([]declare.File{{Name: name, Content: content}}, declare.Options{})
		if err != nil || len(all) == 0 {
			t.Errorf("%s: %d containers, %v", file, len(all), err)
		}
		for _, s := range all {
			if against := strings.Join(s.Against, ", "); s.Refused != nil || s.Standard != want.standard || against != want.against {
				t.Errorf("%s: %s: standard %d, against it: %s; %v", file, s.Name, s.Standard, against, s.Refused)
			}
		}
	}
}

// Every file of the folder that this program reads is read without complaint.
func TestFiles(t *testing.T) {
	manifests, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil || len(manifests) != 4 {
		t.Errorf("manifests: %q, %v", manifests, err)
	}
	for _, args := range [][]string{
		{"podman", "../../deploy/compose.yaml", "server", "image"},
		{"podman", "../../deploy/kubernetes/sysctl.yaml", "server", "image"},
		{"podman", "../../deploy/kubernetes/audit.yaml", "pause", "image"},
		{"runc", "../../deploy/compose.yaml", "host", "rootfs", "/server"},
		{"runc", "../../deploy/kubernetes/hostnetwork.yaml", "server", "rootfs", "/server"},
		{"runc", "../../deploy/kubernetes/audit.yaml", "audit", "rootfs", "/doctor"},
		{"steps", "../../deploy/release.yml", "build"},
		{"steps", "../../deploy/predict.yml", "predict"},
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
		{"kubernetes/sysctl.yaml", "server", "runAsNonRoot:", "runAsNonRot:", "line 26: the Deployment is refused: unknown field"},
		{"kubernetes/sysctl.yaml", "server", "readOnlyRootFilesystem: true", "privileged: true\n            privileged: false", "there twice"},
		{"kubernetes/sysctl.yaml", "server", "runAsUser: 65532", "runAsUser: 0", "the kubelet does not start it"},
		{"kubernetes/sysctl.yaml", "server", "matchLabels: {app: server}", "matchLabels: {app: sever}", "does not select"},
		{"kubernetes/hostnetwork.yaml", "server", "kind: Deployment", "kind: Deplyoment", "declares no container"},
		{"kubernetes/hostnetwork.yaml", "none", "", "", "declares no container"},
		{"compose.yaml", "server", "read_only", "readonly", "Additional property"},
		{"compose.yaml", "none", "", "", "declares no container"},
		{"release.yml", "build", "@11bd71901bbe5b1630ceea73d27597364c9af683", "@v4", "not pinned"},
		{"release.yml", "build", "contents: read", "contents: write", "not to read the contents alone"},
		{"release.yml", "build", "runs-on: ubuntu-24.04", "runs-on: ubuntu-24.04\n    permissions: write-all", "permissions of its own"},
		{"release.yml", "build", "- name: verify\n", "- name: verify\n        continue-on-error: true\n", "not translated"},
		{"release.yml", "build", "- name: build", "- nam: build", "problems"},
		{"release.yml", "build", `"$CAPS" server`, `"${{ env.CAPS }}" server`, "not translated"},
		{"release.yml", "none", "", "", "no job"},
	} {
		content, err := os.ReadFile("../../deploy/" + c.file)
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
	want := []string{"CAP_NET_BIND_SERVICE"}
	for file, permits := range map[string]bool{"compose.yaml host": false, "kubernetes/hostnetwork.yaml server": true} {
		file, name, _ := strings.Cut(file, " ")
		s, err := read("../../deploy/"+file, name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle(s, "/", "/server")
		if err != nil {
			t.Fatal(err)
		}
		have := b.Process.Capabilities
		if !slices.Equal(have["bounding"], want) || slices.Equal(have["permitted"], want) != permits || len(have["ambient"])+len(have["inheritable"]) > 0 {
			t.Errorf("%s: %v", file, have)
		}
		if flags, err := podman(s, "image"); err == nil {
			t.Errorf("podman: %q", flags)
		}
	}
	some, err := oci.Make(preflight.Container{Engine: "docker", DropCaps: []string{"NET_RAW"}, AddCaps: []string{"SYS_TIME"}}, oci.Host{})
	if err != nil {
		t.Fatal(err)
	}
	have := some.Process.Capabilities["effective"]
	if slices.Contains(have, "CAP_NET_RAW") || !slices.Contains(have, "CAP_SYS_TIME") || !slices.Contains(have, "CAP_KILL") {
		t.Errorf("%v", have)
	}
}
