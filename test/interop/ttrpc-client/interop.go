package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// interop makes calls of every kind that the runtime makes, and reports what came of them by name.
func interop(ctx context.Context, o options) (any, error) {
	client, err := dial(o.address)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	results := map[string]string{}
	results["concurrent"] = concurrent(ctx, client, 200)
	results["deadline"] = deadline(ctx, client)
	results["unknown method"] = refused(ctx, client, "grpc.Health", "Foo")
	results["unknown service"] = refused(ctx, client, "grpc.Nothing", "Check")
	results["error of a handler"] = refused(ctx, client, "grpc.AgentService", "StartContainer")
	results["undecodable message"] = undecodable(ctx, client)
	results["after all"] = concurrent(ctx, client, 1)
	return results, nil
}

func concurrent(ctx context.Context, client *ttrpc.Client, calls int) string {
	var wait sync.WaitGroup
	failures := make(chan error, calls)
	for i := range calls {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			ctx = ttrpc.WithMetadata(ctx, ttrpc.MD{"call": {fmt.Sprint(i)}, "Twice": {"a", "b"}})
			var answer wrapperspb.Int32Value
			err := client.Call(ctx, "grpc.Health", "Check", wrapperspb.String(fmt.Sprint(i)), &answer)
			if err == nil && answer.Value != 1 {
				err = fmt.Errorf("status %d", answer.Value)
			}
			if err != nil {
				failures <- err
			}
		})
	}
	wait.Wait()
	close(failures)
	if err, failed := <-failures; failed {
		return err.Error()
	}
	return "ok"
}

func deadline(ctx context.Context, client *ttrpc.Client) string {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	var answer wrapperspb.Int32Value
	err := client.Call(ctx, "grpc.AgentService", "WaitProcess", wrapperspb.String("c1"), &answer)
	if errors.Is(err, context.DeadlineExceeded) {
		return "DeadlineExceeded"
	}
	return status.Code(err).String()
}

func refused(ctx context.Context, client *ttrpc.Client, service, method string) string {
	var answer wrapperspb.Int32Value
	err := client.Call(ctx, service, method, wrapperspb.String("c1"), &answer)
	return fmt.Sprintf("%s: %s", status.Code(err), status.Convert(err).Message())
}

// A number where the server expects text is skipped as unknown, bytes that are no UTF-8 are not.
func undecodable(ctx context.Context, client *ttrpc.Client) string {
	var answer wrapperspb.Int32Value
	err := client.Call(ctx, "grpc.Health", "Check", wrapperspb.Bytes([]byte{0xff}), &answer)
	return status.Code(err).String()
}
