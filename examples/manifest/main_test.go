package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/guard/report"
)

// judged returns the status and the first causes of what one file declares.
func judged(t *testing.T, name, content, engine string) (status int, causes []string, reports []report.Report, err error) {
	t.Helper()
	c := command{files: []declare.File{{Name: name, Content: []byte(content)}}, options: declare.Options{Engine: engine}}
	subjects, err := c.subjects(c.files, c.options)
	if err != nil {
		return usageError, nil, nil, err
	}
	for _, s := range subjects {
		r, code, errJudge := c.judge(s, subjects)
		err = errors.Join(err, errJudge)
		if status = worst(status, code); code != 0 && errJudge == nil {
			causes, reports = append(causes, r.Causes[0].ID), append(reports, r)
		}
	}
	return status, causes, reports, err
}

// Manifests as popular charts have them are judged as their first lines say, for each engine
// that these name.
func TestShapes(t *testing.T) {
	files, err := filepath.Glob("testdata/shapes/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		for line := range strings.Lines(string(content)) {
			want, is := strings.CutPrefix(strings.TrimSpace(line), "# want: ")
			if !is {
				continue
			}
			asked++
			fields := append(strings.Fields(want), "")
			status, causes, reports, err := judged(t, file, string(content), fields[0])
			got := strings.Join(causes, ",")
			for _, c := range causes {
				if c == causes[0] {
					got = c
				}
			}
			if strconv.Itoa(status) != fields[1] || got != fields[2] || err != nil {
				t.Errorf("%s by %s: %d %q, and not %s %q; %v\n%v", file, fields[0], status, causes, fields[1], fields[2], err, reports)
			}
			for _, r := range reports { // in a network of its own a sysctl helps, by every engine
				if !strings.Contains(string(content), "hostNetwork") && (len(r.Fixes) == 0 || r.Fixes[0].ID != "sysctl") {
					t.Errorf("%s by %s: the first fix is no sysctl: %+v", file, fields[0], r.Fixes)
				}
			}
		}
		if asked == 0 {
			t.Errorf("%s says nothing of what is wanted", file)
		}
	}
}

// What an engine would refuse is an error that names the line.
func TestBadInput(t *testing.T) {
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: a\n    ports: [{containerPort: 80}]\n"
	for _, c := range []struct{ name, content, want string }{
		{"a.yaml", pod + "    securityContext:\n      runAsUsr: 5\n", "line 10: the Pod is refused"},
		{"a.yaml", pod + "  hostNetwork: \"yes\"\n", "line 9"},
		{"a.yaml", pod + "  hostNetwork: true\n  hostNetwork: true\n", "line 10"},
		{"a.yaml", pod + "  x: {{ .Values.x }}\n", "line 9: a template"},
		{"a.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "kustomize build"},
		{"a.yaml", strings.Replace(pod, "v1", "apps/v1", 1), "line 1: apps/v1 is no apiVersion of a Pod"},
		{"a.yaml", "apiVersion: v1\nkind: Pod\n  a: b\n", "line 3"},
		{"a.yaml", "nothing: here\n", "it is no manifest"},
		{"compose.yaml", "services:\n  a:\n    image: a\n    usr: 5\n", "line 4"},
		{"compose.yaml", "services:\n  a:\n    image: a\n    security_opt: [no-new-privilegs]\n", "line 2"},
		{"Dockerfile", "FROM a\nUSR 5\n", "line 2"},
		{"Dockerfile", "FROM a\nRUN setcap cap_net_bind_servce=+ep /a\n", "line 2: setcap refuses it"},
		{"a.container", "[Container]\nImage=a\nUsr=5\n", "line 3: podman knows no Usr="},
		{"a.container", "[Unit]\nDescription=a\n", "it has no [Container]"},
		{"run.sh", "podman run --usr 5 a\n", "line 1: what the option --usr does is not known"},
		{"run.sh", "\npodman run --user $UID a\n", "line 2: what \"$\" becomes"},
	} {
		_, _, _, err := judged(t, c.name, c.content, "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, and not %q, of\n%s", c.name, err, c.want, c.content)
		}
	}
}

// Each kind of file: the status, the first cause, and the ids of the fixes.
func TestKinds(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"compose.yaml", "services:\n  a: {image: a, user: \"5\", ports: [\"80:80\"]}\n", "0"},
		{"compose.yaml", "services:\n  a: {image: a, user: \"5\", expose: [\"80\"], network_mode: host, cap_drop: [ALL]}\n", "77 bounding-excludes"},
		{"compose.yaml", "services:\n  a: {image: a, user: \"5\", ports: [\"80:80\"], network_mode: host, cap_drop: [ALL]}\n", "77 bounding-excludes"},
		{"compose.yaml", "services:\n  a: {image: a, user: \"0\", ports: [\"80:80\"], network_mode: host}\n", "0"},
		{"compose.yaml", "services:\n  a: {image: a, user: \"5\", sysctls: [net.ipv4.ip_unprivileged_port_start=1024], ports: [\"80:80\"], cap_drop: [ALL]}\n", "77 bounding-excludes sysctl"},
		{"a.container", "[Container]\nImage=a\nUser=5\nPublishPort=80:80\nDropCapability=all\n", "77 bounding-excludes sysctl cap-add"},
		{"a.container", "[Container]\nImage=a\nUser=5\nPublishPort=80:80\n", "77 unknown sysctl cap-add"},
		{"a.container", "[Container]\nImage=a\nUser=5\nPublishPort=80:80\nAddCapability=NET_BIND_SERVICE\n", "0"},
		{"run.sh", "# a comment\npodman run -d --name x \\\n  --user 5:5 -p 127.0.0.1:8080:80/udp a -v\n", "77 unknown sysctl cap-add"},
		{"run.sh", "docker run --user 5 -p 80:80 a\n", "0"},
		{"Dockerfile", "FROM scratch\nCOPY a /a\nUSER 5\nEXPOSE 80\nENTRYPOINT [\"/a\"]\n", "0"},
		{"Dockerfile", "FROM a AS b\nRUN setcap cap_net_bind_service=+ep /a\nFROM b\nUSER 5\nEXPOSE 80\nENTRYPOINT [\"/a\"]\n", "0"},
	} {
		status, causes, reports, err := judged(t, c.name, c.content, "")
		got := strconv.Itoa(status)
		if len(causes) > 0 {
			got += " " + causes[0]
			for _, f := range reports[0].Fixes {
				got += " " + f.ID
			}
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %s, and not %s; %v\n%s\n%v", c.name, got, c.want, err, c.content, reports)
		}
	}
}
