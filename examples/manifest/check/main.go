// Check reads files of examples/deploy as their own tools do, refuses what those would
// refuse or ignore, and says what the files ask for in a form that can be executed:
//
//	check steps FILE JOB        the run: steps of a workflow, as a shell script each, NUL-ended
//	check podman FILE NAME IMAGE
//	                            the flags and arguments of podman run, one a line
//	check runc FILE NAME ROOTFS PROGRAM
//	                            config.json of a bundle, as the container engine makes it
//
// NAME is that of a container or service; PROGRAM is the entrypoint of its image.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/examples/manifest/oci"
	"github.com/lowport/lowport/internal/term"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "check:", term.Show(strings.ReplaceAll(err.Error(), "\n", "; ")))
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "steps":
		steps, err := workflow(args[1], args[2])
		for _, step := range steps {
			fmt.Print(step, "\x00")
		}
		return err
	case len(args) == 4 && args[0] == "podman":
		s, err := read(args[1], args[2])
		if err != nil {
			return err
		}
		words, err := podman(s, args[3])
		if err == nil {
			_, err = fmt.Println(strings.Join(words, "\n"))
		}
		return err
	case len(args) == 5 && args[0] == "runc":
		s, err := read(args[1], args[2])
		if err != nil {
			return err
		}
		b, err := bundle(s, args[3], args[4])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(b)
	}
	return errors.New("usage: check (steps FILE JOB|podman FILE NAME IMAGE|runc FILE NAME ROOTFS PROGRAM)")
}

// read reads the container of that name.
func read(file, name string) (declare.Subject, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return declare.Subject{}, err
	}
	all, err := declare.Read([]declare.File{{Name: file, Content: content}}, declare.Options{})
	if err != nil {
		return declare.Subject{}, err
	}
	i := slices.IndexFunc(all, func(s declare.Subject) bool { return s.Short == name })
	switch {
	case i < 0:
		return declare.Subject{}, fmt.Errorf("%s declares no container %q", file, name)
	case !all[i].HasUser:
		return all[i], errors.New("the user is the image's, which is not read")
	}
	return all[i], all[i].Refused
}

// bundle is the container as its engine has runc start it. Of Kubernetes' engines it is one that
// leaves the threshold to the pod.
func bundle(s declare.Subject, rootfs, program string) (oci.Bundle, error) {
	c := s.Container
	if c.Engine == "kubernetes" {
		c.Engine = "containerd@1.7"
	}
	command := s.Command
	if command == nil {
		command = []string{program}
	}
	c.Entrypoint = slices.Concat(command, s.Args)
	return oci.Make(c, oci.Host{Rootfs: rootfs, ReadOnly: s.ReadOnly, HostPID: s.HostPID})
}

// podman returns the flags and arguments of podman run, for a container that is another engine's.
func podman(s declare.Subject, image string) ([]string, error) {
	c := s.Container
	switch {
	case len(c.AddCaps) > 0 && !strings.HasPrefix(c.User+":", "0:"):
		// It makes them ambient, which neither Docker nor Kubernetes does.
		return nil, errors.New("podman gives more than the file asks for: see runc")
	case s.Command != nil || c.Privileged || c.UserNS || c.Seccomp != nil || c.Dir != "" || len(c.Env) > 0 || c.Network != "" && c.Network != "host":
		return nil, fmt.Errorf("not translated: something of %+v", c)
	}
	flags := []string{"--user=" + c.User}
	for _, name := range c.DropCaps {
		flags = append(flags, "--cap-drop="+name)
	}
	for _, name := range c.AddCaps {
		flags = append(flags, "--cap-add="+name)
	}
	for name, value := range c.Sysctls {
		flags = append(flags, "--sysctl="+name+"="+value)
	}
	for flag, is := range map[string]bool{
		"--security-opt=no-new-privileges": c.NoNewPrivs, "--security-opt=seccomp=unconfined": c.Unconfined,
		"--read-only": s.ReadOnly, "--read-only-tmpfs=false": s.ReadOnly,
		"--network=host": c.Network == "host", "--pid=host": s.HostPID,
	} {
		if is {
			flags = append(flags, flag)
		}
	}
	slices.Sort(flags)
	return append(append(flags, image), s.Args...), nil
}
