using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Gateway.Tests.Documentation;

/// <summary>Finds the text of string literals in C#, without the expressions in interpolated ones.</summary>
internal static class SourceStrings
{
    /// <summary>Every literal, and every part of one between expressions, with the number of its line.</summary>
    public static IEnumerable<(int Line, string Text)> In(string code) =>
        from token in CSharpSyntaxTree.ParseText(code).GetRoot().DescendantTokens()
        where token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.Utf8StringLiteralToken
            or SyntaxKind.InterpolatedStringTextToken
            or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
        select (token.GetLocation().GetLineSpan().StartLinePosition.Line + 1, token.ValueText);
}
