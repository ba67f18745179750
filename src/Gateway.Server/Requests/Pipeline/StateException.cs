namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// The store cannot be reached, written or understood. Its message is for an operator and holds no secret.
/// </summary>
internal class StateException(string message, Exception? inner = null) : Exception(message, inner);
