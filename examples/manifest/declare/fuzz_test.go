package declare

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is in a file that has this name, it is refused, or declares containers that can be started
// or not; an edit leaves a file that is read again.
func fuzz(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 64<<10 {
			return
		}
		o := Options{ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist }}
		all, err := Read([]File{{name, content}}, o)
		if err != nil {
			if !strings.HasPrefix(err.Error(), name+":") {
				t.Errorf("the error names no file: %v", err)
			}
			return
		}
		for _, s := range all {
			if s.File != name || s.Line < 1 {
				t.Errorf("%q at %s:%d", s.Name, s.File, s.Line)
			}
			if _, err := s.Start(nil); err != nil {
				t.Errorf("%q: %v", s.Name, err)
			}
			for _, e := range s.Edits {
				changed, err := e.Change(content)
				if err != nil {
					continue // which is not offered then
				}
				if _, err := Read([]File{{name, changed}}, o); err != nil {
					t.Logf("%q: %s: %v", s.Name, e.ID, err) // nor this
				}
			}
		}
	})
}

func FuzzKubernetes(f *testing.F) {
	files, err := filepath.Glob("../testdata/shapes/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("apiVersion: v1\nkind: Pod\nspec: &a\n  containers: [*a, *a]\n"))
	f.Add([]byte("apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}, 5]\n"))
	fuzz(f, "a.yaml")
}

func FuzzCompose(f *testing.F) {
	f.Add([]byte("services:\n  a: {image: a, user: \"5\", ports: [\"80:80\"], cap_drop: [ALL], sysctls: [net.ipv4.ip_unprivileged_port_start=1024]}\n"))
	f.Add([]byte("services:\n  a: {extends: b, security_opt: [\"no-new-privileges:true\", \"seccomp:a\"]}\n  b: {image: \"${A:-b}\", network_mode: \"service:a\"}\n"))
	f.Add([]byte("include: [other.yaml]\nservices:\n  a: {extends: {file: /dev/zero, service: a}}\n"))
	fuzz(f, "compose.yaml")
}

func FuzzDockerfile(f *testing.F) {
	f.Add([]byte("FROM a AS b\nRUN setcap cap_net_bind_service=+ep /a && chown 5 /a\nFROM b\nUSER 5\nEXPOSE 80 53/udp\nENTRYPOINT [\"/a\"]\n"))
	f.Add([]byte("FROM scratch\nCOPY --from=0 a /\nRUN <<E\nsetcap x y\nE\nCMD a\n"))
	fuzz(f, "Dockerfile")
}

func FuzzQuadlet(f *testing.F) {
	f.Add([]byte("[Container]\nImage=a\nUser=5\nGroup=6\nAddCapability=NET_BIND_SERVICE\\\n CHOWN\nExec=a \"b c\"\nPublishPort=80-90:80-90\n"))
	f.Add([]byte("[Container]\nPodmanArgs=--sysctl a=b --user=5\nPod=a.pod\n[Service]\n"))
	fuzz(f, "a.container")
}

func FuzzPod(f *testing.F) {
	f.Add([]byte("[Pod]\nPublishPort=80:80\nNetwork=host\nPodmanArgs=--sysctl a=b\n"))
	fuzz(f, "a.pod")
}

func FuzzKube(f *testing.F) {
	f.Add([]byte("[Kube]\nYaml=a.yaml\nNetwork=host\nUserNS=auto\n"))
	fuzz(f, "a.kube")
}

func FuzzRun(f *testing.F) {
	f.Add([]byte("#!/bin/sh\npodman run -d --name x \\\n  --user 5:5 -p 127.0.0.1:8080:80/udp --entrypoint '[\"a\", \"b\"]' a -v\n"))
	f.Add([]byte("sudo docker run -ti --cap-add=ALL --network container:x --sysctl a=b a 'c d' \"e\\\"\"\n"))
	fuzz(f, "run.sh")
}
