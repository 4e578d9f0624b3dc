//go:build !linux

package privport

import (
	"context"
	"os"
)

func (c Config) authbind(_ context.Context, _ string, refused error) (*os.File, error) {
	return nil, refused
}
