package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

type loadResult struct {
	Calls     int     `json:"calls"`
	Errors    int     `json:"errors"`
	PerSecond float64 `json:"per_second"`
	P50Micros float64 `json:"p50_us"`
	P99Micros float64 `json:"p99_us"`
	MaxMicros float64 `json:"max_us"`
}

// load keeps a number of Checks outstanding on each connection and measures each of them.
func load(ctx context.Context, o options) (any, error) {
	clients := make([]*ttrpc.Client, o.connections)
	for i := range clients {
		client, err := dial(o.address)
		if err != nil {
			return nil, err
		}
		defer client.Close()
		clients[i] = client
	}
	period := time.Duration(o.seconds * float64(time.Second))
	measure(ctx, o, clients, period/10)
	started := time.Now()
	times, failed := measure(ctx, o, clients, period)
	took := time.Since(started)
	if len(times) == 0 {
		return loadResult{Errors: failed}, nil
	}
	slices.Sort(times)
	micros := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Nanoseconds()) / 1000
	}
	return loadResult{
		Calls:     len(times),
		Errors:    failed,
		PerSecond: float64(len(times)) / took.Seconds(),
		P50Micros: micros(0.50),
		P99Micros: micros(0.99),
		MaxMicros: micros(1),
	}, nil
}

func measure(ctx context.Context, o options, clients []*ttrpc.Client, period time.Duration) ([]time.Duration, int) {
	var wait sync.WaitGroup
	var lock sync.Mutex
	var all []time.Duration
	failed := 0
	end := time.Now().Add(period)
	for _, client := range clients {
		for range o.outstanding {
			wait.Go(func() {
				times, errors := calls(ctx, o, client, end)
				lock.Lock()
				defer lock.Unlock()
				all = append(all, times...)
				failed += errors
			})
		}
	}
	wait.Wait()
	return all, failed
}

// calls makes one call after the other until the end has come.
func calls(ctx context.Context, o options, client *ttrpc.Client, end time.Time) (times []time.Duration, failed int) {
	request := wrapperspb.String("")
	if o.traced {
		ctx = ttrpc.WithMetadata(ctx, ttrpc.MD{"traceparent": {traceparent}})
	}
	for started := time.Now(); started.Before(end); {
		var answer wrapperspb.Int32Value
		err := call(ctx, o.timeout, client, request, &answer)
		now := time.Now()
		if err != nil || answer.Value != 1 {
			failed++
			if failed > 1000 {
				return times, failed
			}
		}
		times = append(times, now.Sub(started))
		started = now
	}
	return times, failed
}

func call(ctx context.Context, timeout time.Duration, client *ttrpc.Client, request *wrapperspb.StringValue, answer *wrapperspb.Int32Value) error {
	ctx, cancel := within(ctx, timeout)
	defer cancel()
	return client.Call(ctx, "grpc.Health", "Check", request, answer)
}

func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}
