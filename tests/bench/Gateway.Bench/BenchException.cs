namespace Gateway.Bench;

/// <summary>The run cannot go on or its figures would be wrong; the message says why, for people.</summary>
internal sealed class BenchException(string message) : Exception(message);
