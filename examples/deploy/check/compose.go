package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// service reads a service with the loader of Docker Compose, which refuses what its schema
// does not have.
func service(file string, content []byte, name string) (container, error) {
	details := types.ConfigDetails{WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: file, Content: content}}}
	project, err := loader.LoadWithContext(context.Background(), details, loader.WithProfiles([]string{"*"}))
	if err != nil {
		return container{}, err
	}
	s, err := project.GetService(name)
	if err != nil {
		return container{}, err
	}
	c := container{
		args: s.Command, drop: s.CapDrop, add: s.CapAdd, sysctls: s.Sysctls,
		readOnly: s.ReadOnly, hostNetwork: s.NetworkMode == "host", defaultSeccomp: true,
	}
	if c.uid, c.gid, err = ids(s.User); err != nil {
		return c, err
	}
	for _, option := range s.SecurityOpt {
		if option != "no-new-privileges:true" {
			return c, fmt.Errorf("not translated: security_opt %s", option)
		}
		c.noNewPrivs = true
	}
	if c.hostNetwork && (len(s.Sysctls) > 0 || len(s.Ports) > 0) {
		return c, fmt.Errorf("neither sysctls nor ports go with the host's network")
	}

	// What is left has to be nothing that the kernel would hear of.
	left := types.ServiceConfig{}
	left.Name, left.Profiles, left.Image, left.Build, left.Restart = s.Name, s.Profiles, s.Image, s.Build, s.Restart
	left.Command, left.User, left.ReadOnly, left.NetworkMode, left.Networks = s.Command, s.User, s.ReadOnly, s.NetworkMode, s.Networks
	left.CapDrop, left.CapAdd, left.Sysctls, left.SecurityOpt, left.Ports = s.CapDrop, s.CapAdd, s.Sysctls, s.SecurityOpt, s.Ports
	left.Environment, left.Entrypoint = s.Environment, s.Entrypoint
	if len(s.Environment)+len(s.Entrypoint) > 0 || !reflect.DeepEqual(left, s) {
		return c, fmt.Errorf("not translated: something of %+v", s)
	}
	return c, nil
}
