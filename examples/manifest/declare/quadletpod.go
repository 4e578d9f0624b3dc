package declare

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// quadletPod reads a unit of podman-pod.unit(5): the options with which its pod is made, and which
// count for every container in it.
func quadletPod(f File) (all []given, err error) {
	entries, line, _, err := section(f, "Pod")
	if err == nil && line == 0 {
		err = errors.New("it has no [Pod]")
	}
	for _, e := range entries {
		name, known := map[string]string{
			"Network": "network", "PublishPort": "publish", "UserNS": "userns", "RemapUsers": "userns",
			"UIDMap": "uidmap", "GIDMap": "gidmap", "SubUIDMap": "subuidname", "SubGIDMap": "subgidname",
		}[e.name]
		switch {
		case known:
			all = append(all, given{name, e.value})
		case e.name == "PodmanArgs":
			more, errArgs := podmanArgs(e)
			err = errors.Join(err, errArgs)
			all = append(all, more...)
		case !slices.Contains(harmlessOfPod, e.name):
			err = errors.Join(err, fmt.Errorf("line %d: podman knows no %s= in [Pod]", e.line, e.name))
		}
	}
	return all, err
}

// harmlessOfPod are keys that change neither who starts nor what it may do.
var harmlessOfPod = strings.Fields(`AddHost ContainersConfModule DNS DNSOption DNSSearch ExitPolicy GlobalArgs HostName IP IP6 Label
	NetworkAlias PodName ServiceName ShmSize StopTimeout Volume`)

// podmanArgs reads options that are given as words.
func podmanArgs(e entry) ([]given, error) {
	words, err := shellWords(e.value)
	if err != nil {
		return nil, fmt.Errorf("line %d: PodmanArgs=: %w", e.line, err)
	}
	all, rest, err := read(words)
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("line %d: PodmanArgs=: what %q does is not known", e.line, e.value)
	}
	return all, nil
}

// podOf returns the options of the pod that a container names: of a unit that is given, or beside
// its own.
func podOf(f File, name string, files []File, o Options) ([]given, error) {
	if !strings.HasSuffix(name, ".pod") {
		return []given{{"pod", name}}, nil
	}
	i := slices.IndexFunc(files, func(other File) bool { return path.Base(other.Name) == name })
	if i >= 0 {
		return quadletPod(files[i])
	}
	pod, err := o.beside(f.Name, name)
	if err != nil {
		return nil, err
	}
	return quadletPod(pod)
}

// quadletKube reads a unit of podman-kube.unit(5): the pods of the manifests that it names, which
// podman starts.
func quadletKube(f File, o Options) (all []manifest, err error) {
	entries, line, _, err := section(f, "Kube")
	if err == nil && line == 0 {
		err = errors.New("it has no [Kube]")
	}
	if err != nil {
		return nil, err
	}
	network, userNS := "", false
	for _, e := range entries {
		switch e.name {
		case "Yaml":
			y, err := o.beside(f.Name, e.value)
			if err != nil {
				return nil, fmt.Errorf("line %d: Yaml=: %w", e.line, err)
			}
			more, err := manifestsOf(y)
			if err != nil {
				return nil, fmt.Errorf("line %d: Yaml=: %s: %w", e.line, y.Name, err)
			}
			all = append(all, more...)
		case "Network":
			network = shared(e.value)
		case "UserNS", "RemapUsers":
			userNS = e.value != "" && e.value != "host"
		default:
			if !slices.Contains(harmlessOfKube, e.name) {
				return nil, fmt.Errorf("line %d: podman knows no %s= in [Kube]", e.line, e.name)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("line %d: its Yaml= declares no pods", line)
	}
	for i := range all {
		all[i].engine, all[i].network, all[i].userNS = "podman", network, userNS
	}
	return all, nil
}

// harmlessOfKube are keys that change neither who starts nor what it may do. A port that is
// published is one that the manifest declares.
var harmlessOfKube = strings.Fields(`AutoUpdate ConfigMap ContainersConfModule ExitCodePropagation GlobalArgs KubeDownForce LogDriver
	PodmanArgs PublishPort ServiceName SetWorkingDirectory`)
