package remedy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// keepsFiles reports whether the container is a whole machine whose files last, and not made
// from an image each time.
func keepsFiles(f *facts.Facts) bool {
	return f.Launcher.Container.Value == "lxc" || f.Launcher.Container.Value == "systemd-nspawn"
}

// setcapInside gives capabilities to the file from the shell in the container that started the
// program, as by docker exec. Root there needs no sudo(8), and needs cap_setfcap.
func setcapInside(w kernel.World, g kernel.Goal) (candidate, bool) {
	c, ok := setcap(w, g)
	o, known := w.Facts.Launcher.Operator.Is()
	c.Summary += ", in the shell in the container that started the program"
	c.Lasts += ", or the container is made anew"
	c.Steps = slices.Clone(c.Steps)
	for i := range c.Steps {
		if o.UID == 0 && !o.OtherUsers {
			c.Steps[i].Run = strings.TrimPrefix(c.Steps[i].Run, "sudo ")
		}
	}
	return c, ok && known && o.SamePID && o.SameRoot && o.Bounding.Contains(caps.SetOf(caps.SETFCAP))
}

// container lowers the threshold inside the container, with the option or setting of its
// engine. systemd-nspawn has no such option, and a container on the host's network cannot
// lower it.
func container(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	engine, ok := f.Launcher.Container.Is()
	if !ok || engine == "systemd-nspawn" || g.Network == "" || !w.Counts {
		return candidate{}, false
	}
	unless := ", unless it is on the host's network"
	if apart, known := f.Net.Apart.Is(); f.Launch.Planned && known {
		if !apart { // it is
			return candidate{}, false
		}
		unless = ""
	}
	fix := report.Fix{ID: "container", Scope: "container", Summary: "for this container" + unless, Lasts: "as long as the container is started like this"}
	switch engine {
	case "kubernetes":
		fix.Scope = "pod"
		fix.Summary = "for this pod" + unless
		fix.Lasts = "as long as the manifest says so"
		fix.Steps = []report.Step{{Edit: "the pod's manifest", Content: fmt.Sprintf(`spec:
  securityContext:
    sysctls:
    - name: net.ipv4.ip_unprivileged_port_start
      value: "%d"
`, g.Port)}}
	case "docker", "podman", "nerdctl":
		fix.Steps = []report.Step{{Edit: engine + " run", Content: fmt.Sprintf("--sysctl net.ipv4.ip_unprivileged_port_start=%d\n", g.Port)}}
	case "lxc":
		fix.Lasts = "as long as the configuration says so"
		fix.Steps = []report.Step{{Edit: "the container's config", Content: fmt.Sprintf("lxc.sysctl.net.ipv4.ip_unprivileged_port_start = %d\n", g.Port)}}
	default:
		fix.Steps = []report.Step{{Edit: "the container's configuration", Content: fmt.Sprintf("net.ipv4.ip_unprivileged_port_start=%d\n", g.Port)}}
	}
	return candidate{Fix: fix, change: func(w kernel.World) kernel.World { w.PortStart = g.Port; return w }}, true
}

// capAdd adds the capability to the container. podman makes it ambient, so any user gets it.
// docker does not, so it helps only root and a file with capabilities.
func capAdd(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	engine, _ := f.Launcher.Container.Is()
	ids, okIDs := f.Proc.IDs.Is()
	missing := w.Missing()
	if f.Launcher.Ancestor.State == facts.Known && missing == 0 { // its change of user took away what the engine gave
		return candidate{}, false
	}
	if parent, known := f.Proc.Parent.Is(); known && parent == 0 && f.Proc.PID.Value != 1 { // put into the container later, as by podman exec
		return candidate{}, false
	}
	only := ""
	if okIDs && ids.EUID != 0 && missing == 0 && !f.Launch.Planned {
		only = ", if it is started with --user"
	}
	if !okIDs || engine != "podman" && (engine != "docker" || ids.EUID != 0 && missing == 0) {
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
		Fix: report.Fix{ID: "cap-add", Scope: "container", Summary: "for this container" + only, Lasts: "as long as the container is started like this",
			Steps: []report.Step{{Edit: engine + " run", Content: strings.Join(flags, " ") + "\n"}}},
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= need
			if missing == 0 {
				w.Starter = kernel.Ambient(w.Starter, need)
			}
			return w.Start()
		},
	}, true
}

// ambient makes systemd-nspawn start the program with an ambient capability. It can do so for
// any user, if the container's bounding set has the capability.
func ambient(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if f.Launcher.Container.Value != "systemd-nspawn" || !w.Starter.Bounding.Contains(g.Need()) {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "ambient", Scope: "container", Summary: "for this container", Lasts: "as long as the container is started like this",
			Steps: []report.Step{{Edit: "systemd-nspawn", Content: "--ambient-capability=" + strings.ReplaceAll(g.Need().Systemd(), " ", ",") + "\n"}}},
		change: func(w kernel.World) kernel.World {
			w.Starter = kernel.Ambient(w.Starter, g.Need())
			return w.Start()
		},
	}, true
}

// compose is the same as container, for those who start docker with a compose file.
func compose(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	c, ok := container(w, g)
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

// buildFile is what the engine calls the file by which it builds images.
func buildFile(f *facts.Facts) string {
	if f.Launcher.Container.Value == "podman" {
		return "Containerfile"
	}
	return "Dockerfile"
}

// addToImage gives the program its file capabilities in the image, since a change inside the
// running container would not last. If a pod's bounding set lacks the capability, the pod
// has to add it too.
func addToImage(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	exe, okExe := f.File.Path.Is()
	stat, okStat := f.File.Installed.Stat.Is()
	if keepsFiles(f) || !okExe || !okStat || goRun(f) || !stampable(f, stat) || f.File.Installed.Caps.State == facts.Unreadable || f.File.Installed.Caps.Reason == "EOPNOTSUPP" || strings.ContainsAny(exe, "\n\r") {
		return candidate{}, false
	}
	file, widens := stamped(w, g), false
	fix := report.Fix{ID: "image", Scope: "container", Summary: "in the image's last stage, after any chown", Lasts: "until the image is built without it", Costs: price(f),
		Steps: []report.Step{{Edit: buildFile(f), Content: "RUN " + Command("setcap", capText(file), exe) + "\n"}}}
	if f.Launcher.Container.Value == "kubernetes" && !w.Starter.Bounding.Contains(g.Need()) {
		widens = true
		fix.Steps = append(fix.Steps, report.Step{Edit: "the pod's manifest", Content: fmt.Sprintf(`spec:
  containers:
  - name: NAME
    securityContext:
      capabilities:
        drop: ["ALL"]
        add: ["%s"]
`, strings.Join(g.Need().Kubernetes(), `", "`))})
	}
	return candidate{Fix: fix, change: func(w kernel.World) kernel.World {
		if widens {
			w.Starter.Bounding |= g.Need()
			w.Starter.Permitted |= g.Need() // the runtime holds all of its bounding set
		}
		return install(w, file)
	}}, true
}
