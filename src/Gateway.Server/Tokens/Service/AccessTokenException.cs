namespace Gateway.Server.Tokens.Service;

/// <summary>An access token cannot be issued. Its message is for the caller and holds no secret.</summary>
internal sealed class AccessTokenException(string message) : Exception(message);
