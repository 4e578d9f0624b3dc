package remedy

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// keepsFiles says whether the container is a machine whose files last, and not
// made of an image.
func keepsFiles(f facts.Facts) bool {
	return f.Launcher.Container.Value == "lxc" || f.Launcher.Container.Value == "systemd-nspawn"
}

// container lowers the threshold inside the container, in the words of its
// engine: systemd-nspawn has none for it. A container on the host's network
// cannot.
func container(f facts.Facts, g rules.Goal) (candidate, bool) {
	engine, ok := f.Launcher.Container.Is()
	if !ok || engine == "systemd-nspawn" || g.Network == "" || rules.Counts(f, g.Need()) == rules.No {
		return candidate{}, false
	}
	fix := report.Fix{ID: "container", Scope: "container", Summary: "for this container, unless it is on the host's network", Lasts: "as long as the container is started like this"}
	switch engine {
	case "kubernetes":
		fix.Scope = "pod"
		fix.Summary = "for this pod, unless it is on the host's network"
		fix.Lasts = "as long as the manifest says so"
		fix.Steps = []report.Step{{Edit: "the pod's manifest", Content: fmt.Sprintf(`spec:
  securityContext:
    sysctls:
    - name: net.ipv4.ip_unprivileged_port_start
      value: "%d"
`, g.Port)}}
	case "docker", "podman":
		fix.Steps = []report.Step{{Edit: engine + " run", Content: fmt.Sprintf("--sysctl net.ipv4.ip_unprivileged_port_start=%d\n", g.Port)}}
	case "lxc":
		fix.Lasts = "as long as the configuration says so"
		fix.Steps = []report.Step{{Edit: "the container's config", Content: fmt.Sprintf("lxc.sysctl.net.ipv4.ip_unprivileged_port_start = %d\n", g.Port)}}
	default:
		fix.Steps = []report.Step{{Edit: "the container's configuration", Content: fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d\n", g.Port)}}
	}
	return candidate{Fix: fix, change: func(f facts.Facts) facts.Facts {
		f.Net.PortStart = f.Net.PortStart.Now(g.Port)
		return f
	}}, true
}

// capAdd adds the capability to the container: podman gives it to any user, as
// an ambient one; docker puts it where root alone can use it, or a file with
// capabilities.
func capAdd(f facts.Facts, g rules.Goal) (candidate, bool) {
	engine, _ := f.Launcher.Container.Is()
	ids, okIDs := f.Proc.IDs.Is()
	now, okNow := rules.Starter(f).Is()
	missing := rules.Missing(f)
	if !okIDs || !okNow || engine != "podman" && (engine != "docker" || ids.EUID != 0 && missing == 0) {
		return candidate{}, false
	}
	need := missing
	if need == 0 {
		need = g.Need()
	}
	var flags []string
	for _, name := range need.Kubernetes() {
		flags = append(flags, "--cap-add="+name)
	}
	return candidate{
		Fix: report.Fix{ID: "cap-add", Scope: "container", Summary: "for this container", Lasts: "as long as the container is started like this",
			Steps: []report.Step{{Edit: engine + " run", Content: strings.Join(flags, " ") + "\n"}}},
		change: func(f facts.Facts) facts.Facts {
			now.Bounding |= need
			if missing == 0 {
				now = holding(now, need)
			}
			f.Launch.Starter = f.Launch.Starter.Now(now)
			return rules.Start(f)
		},
	}, true
}

// ambient has systemd-nspawn start the program with the capability, which it
// gives to any user within the container's bounding set.
func ambient(f facts.Facts, g rules.Goal) (candidate, bool) {
	now, okNow := rules.Starter(f).Is()
	if !okNow || f.Launcher.Container.Value != "systemd-nspawn" || !now.Bounding.Contains(g.Need()) {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "ambient", Scope: "container", Summary: "for this container", Lasts: "as long as the container is started like this",
			Steps: []report.Step{{Edit: "systemd-nspawn", Content: "--ambient-capability=" + strings.ReplaceAll(g.Need().Systemd(), " ", ",") + "\n"}}},
		change: func(f facts.Facts) facts.Facts {
			f.Launch.Starter = f.Launch.Starter.Now(holding(now, g.Need()))
			return rules.Start(f)
		},
	}, true
}

// compose is container for those who start docker by a compose file.
func compose(f facts.Facts, g rules.Goal) (candidate, bool) {
	c, ok := container(f, g)
	if !ok || f.Launcher.Container.Value != "docker" {
		return candidate{}, false
	}
	c.ID, c.Lasts = "compose", "as long as the file says so"
	c.Steps = []report.Step{{Edit: "compose.yaml", Content: fmt.Sprintf(`services:
  SERVICE:
    sysctls:
      net.ipv4.ip_unprivileged_port_start: "%d"
`, g.Port)}}
	return c, true
}

// addToImage stamps the program in the image: a container's files are made
// there, and a change inside the running container would not last. A pod whose
// bounding set lacks the capability has to add it too.
func addToImage(f facts.Facts, g rules.Goal) (candidate, bool) {
	exe, okExe := f.File.Path.Is()
	stat, okStat := f.File.Installed.Stat.Is()
	now, okNow := rules.Starter(f).Is()
	if keepsFiles(f) || !okExe || !okStat || !okNow || goRun(f) || !stampable(f, stat) || f.File.Installed.Caps.State == facts.Unreadable || strings.ContainsAny(exe, "\n\r") {
		return candidate{}, false
	}
	file := stamped(f, g)
	fix := report.Fix{ID: "image", Scope: "container", Summary: "in the image's last stage, after any chown", Lasts: "until the image is built without it",
		Steps: []report.Step{{Edit: "Dockerfile", Content: "RUN " + Command("setcap", capText(file), exe) + "\n"}}}
	if f.Launcher.Container.Value == "kubernetes" && !now.Bounding.Contains(g.Need()) {
		now.Bounding |= g.Need()
		fix.Steps = append(fix.Steps, report.Step{Edit: "the pod's manifest", Content: fmt.Sprintf(`spec:
  containers:
  - name: NAME
    securityContext:
      capabilities:
        drop: ["ALL"]
        add: ["%s"]
`, strings.Join(g.Need().Kubernetes(), `", "`))})
	}
	return candidate{Fix: fix, change: func(f facts.Facts) facts.Facts {
		f.Launch.Starter = f.Launch.Starter.Now(now)
		f.File.Installed.Caps = f.File.Installed.Caps.Now(file)
		return rules.Start(f)
	}}, true
}
